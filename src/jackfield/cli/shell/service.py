"""`jackfield install-service`: the switch as a service that systemd starts and watches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from jackfield.service.unit import DIRECTORY, UNIT, Service, unit_text

MANAGER = Path("/run/systemd/system")
"""Is there when systemd is the running manager (sd_booted(3))."""


@click.command("install-service")
@click.option("--print", "only_print", is_flag=True, help="Print the unit file and change nothing.")
@click.option("--now", is_flag=True, help="Also start the service.")
@click.option("--remove", is_flag=True, help="Stop and remove the service; its ports keep forwarding.")
@click.option("--directory", default=DIRECTORY, show_default=True, metavar="DIR", help="Where units belong.")
@click.option("--command", metavar="FILE", help="The command it runs (default: this one).")
def install_service(only_print: bool, now: bool, remove: bool, directory: str, command: str | None) -> None:
    """Have systemd start the switch at boot, before the network is configured, and watch over it."""
    unit = Path(directory) / UNIT
    if remove:
        _remove(unit)
        return
    text = unit_text(_service(command))
    if only_print:
        click.echo(text, nl=False)
        return
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(text)
    click.echo(f"wrote {unit}")
    if not _manager_is_there(unit):
        click.echo("systemd does not run from there now: `systemctl enable jackfield` when it does")
        return
    _systemctl("daemon-reload")
    _systemctl("enable", *(["--now"] if now else []), UNIT)
    click.echo(f"{UNIT} starts at boot" + (", and runs" if now else ""))


def _service(command: str | None) -> Service:
    found = command or shutil.which(sys.argv[0])
    if found is None:
        raise click.ClickException(
            f"cannot tell where the command {sys.argv[0]} is; say so by --command FILE"
        )
    path = os.path.abspath(found)  # noqa: PTH100  (a link to the command is to stay one)
    if not (Path(path).is_file() and os.access(path, os.X_OK)):
        raise click.ClickException(f"{path}: is not a command that can be run")
    usual = Service(path)
    return Service(
        path,
        _place("OVS_RUNDIR", usual.rundir),
        _place("OVS_DBDIR", usual.dbdir),
        _place("OVS_LOGDIR", usual.logdir),
    )


def _place(variable: str, usual: str) -> str:
    return str(Path(os.environ.get(variable) or usual).absolute())


def _remove(unit: Path) -> None:
    if not unit.exists():
        raise click.ClickException(f"{unit}: there is no such file; nothing to remove")
    manager = _manager_is_there(unit)
    if manager:
        _systemctl("disable", "--now", UNIT)
    unit.unlink()
    if manager:
        _systemctl("daemon-reload")
    click.echo(f"removed {unit}")


def _manager_is_there(unit: Path) -> bool:
    return MANAGER.is_dir() and unit.parent == Path(DIRECTORY)


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"systemctl {' '.join(words)}: {done.stderr.strip() or 'failed'}")
