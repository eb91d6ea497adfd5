"""The switch's hold on the kernel: eBPF programs and maps, attachments, network devices.

Start at `store.Datapath`; devices are in `netdev`, changes to them in `monitor`, shared types in `_abi`, sets
of VLANs in `vlanset`, names in `naming`, start-up checks in `needs`, exceptions in `errors`.
"""
