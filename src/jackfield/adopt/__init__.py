"""Taking over a host's network: its cards, or a Linux bridge of it, onto the switch, and giving them back.

Everything is moved so that the new is there before the old goes, under the eyes of a guard that puts it back
when it does not work or when the command does not live to say that it does.
"""
