"""Command lines for both tools, in order, by subject: a switch grows, is asked, and is taken down again."""

# ruff: noqa: E501

from __future__ import annotations

SUBJECTS = {
    "bridges and ports": r"""
        init
        show
        list-br
        add-br br0
        add-br br0
        --may-exist add-br br0
        add-br ""
        add-br br1 br0
        add-br fake0 br0 10
        --may-exist add-br fake0 br0 10
        --may-exist add-br fake0 br0 11
        --may-exist add-br fake0 br9 10
        --may-exist add-br fake0
        --may-exist add-br br0 br0 10
        add-br fake1 br0 10
        add-br fake1 br0 4096
        add-br fake1 br0 -1
        add-br fake1 nobr 5
        add-br fake1 fake0 5
        br-to-vlan fake0
        br-to-vlan br0
        br-to-vlan nope
        br-to-parent fake0
        br-to-parent br0
        br-exists br0
        br-exists nope
        list-br
        --real list-br
        --fake list-br
        --real --fake list-br
        add-port br0 vlan1000 tag=1000 -- set Interface vlan1000 type=internal
        add-port br0 p10 tag=10
        add-port fake0 p11
        add-port br0 p12 tag=5000
        add-port br0 p12 tag=4095
        add-port br0 p12 tag=-1
        add-port br0 p13 trunks=1,2,3 vlan_mode=trunk
        add-port br0 p14 trunks=1-3,7
        add-port br0 p14 trunks=1-3,2
        add-port br0 p15 trunks=[1,2
        add-port br0 p15 trunks=[1,2]x
        add-port br0 p15 trunks=[]
        add-port br0 p15 trunks=3-1
        add-port br0 p16 vlan_mode=foo
        add-port br0 p16 foo=bar
        add-port br0 p16 tag
        add-port br0 p16 tag=
        add-port br0 p16 other_config:a=b other_config:c=d external-ids:x="y z"
        add-port br0 br0
        add-port br0 p10
        add-port nobr p20
        add-port br0 ""
        --may-exist add-port br0 p10
        --may-exist add-port fake0 p10
        --may-exist add-port br0 p11
        --may-exist add-port br0 p13
        add-port br0 abcdefghijklmnop
        add-port br0 a/b
        list-ports br0
        list-ports fake0
        list-ports nobr
        list-ifaces br0
        list-ifaces fake0
        port-to-br p10
        port-to-br p13
        port-to-br br0
        port-to-br nope
        iface-to-br p10
        iface-to-br vlan1000
        iface-to-br nope
        show
    """,
    "get and set": r"""
        get Port p13 trunks
        get Port p13 tag
        get Port p16 other_config
        get Port p16 other_config:a
        get Port p16 other_config:zz
        --if-exists get Port p16 other_config:zz
        get Port p16 external_ids:x
        get Port p16 name tag _uuid
        get Port nope tag
        --if-exists get Port nope tag
        --if-exists --id=@x get Port p16
        get Port p16 tag:3
        get Port p16 tagg
        get Port p16 t
        get Port p16 tag=3
        get Port p16 :x
        get Port p16 'other_config:"a'
        get Port p16 'other_config:a\'
        get Prt p16 tag
        get i p10 name
        get flow x y
        get Port p10 vlan
        get Port p10 bond
        get port p10 BOND-MODE
        set Port p10 tag=11 vlan_mode=access
        set Port p10 tag=@x
        set Port p10 tag=abc
        set Port p10 tag=99999999999999999999
        set Port p10 tag=[]
        set Port p10 tag=[1,2]
        set Port p10 name=foo
        set Port p10 interfaces=[]
        set Port p10 qos=@q -- --id=@q create QoS type=linux-htb
        get Port p10 qos -- get QoS . type
        set Port p10 qos=@q2
        set Port p10 qos=1234
        set Bridge br0 protocols=OpenFlow10,OpenFlow13
        get Bridge br0 protocols
        set Bridge br0 protocols=OpenFlow99
        set Bridge br0 stp_enable=yes mcast_snooping_enable=maybe
        set Bridge br0 stp_enable=yes
        get Bridge br0 stp_enable rstp_enable
        set Bridge br0 other_config:mac-aging-time=300 other-config:mac-table-size=100
        set Bridge br0 other_config={a=1,b="x y"}
        get Bridge br0 other_config
        set Bridge br0 other_config={}
        set Bridge br0 other_config={a}
        set Bridge br0 other_config={a=}
        set Bridge br0 other_config=a
        set Bridge br0 other_config=a=
        set Bridge br0 other_config={a
        set Bridge br0 other_config={a=1,a=2}
        set Bridge br0 other_config=[a=1]
        set Bridge br0 external_ids:k="\"quoted\\n\""
        get Bridge br0 external_ids
        set Bridge br0 external_ids:k=""
        set Bridge br0 external_ids:k='""'
        get Bridge br0 external_ids:k
        set Bridge br0 flood_vlans=0-5
        get Bridge br0 flood_vlans
        set Bridge br0 flood_vlans=0-5000
        set Bridge br0 flood_vlans=4090-4096
        set Bridge nobr stp_enable=true
        --if-exists set Bridge nobr stp_enable=true
        set Bridge br0 stp_enable:x=true
        set Interface p10 mtu_request=1500 ofport_request=7
        set Interface p10 ofport_request=70000
        set Interface p10 mtu_request=0
        set Interface p10 ingress_policing_rate=-1
        set Interface p10 options:peer=xx type=patch
        set Interface p10 mac='"00:11:22:33:44:55"'
        set Interface p10 lldp:enable=true
        set Interface p10 duplex=full
        get Interface p10 mac_in_use mac ofport
        set Controller br0 rate=5
    """,
    "add, remove and clear": r"""
        add Port p13 trunks 7
        add Port p13 trunks 7,8 9
        get Port p13 trunks
        add Port p13 other_config k=v
        add Port p10 tag 12 -- list-br
        add Port p10 tag 12
        add Port p13 trunks 7
        add Port p13 other_config k=v
        add Port p13 other_config k=w
        get Port p13 other_config
        add Port p13 other_config k=x -- get Port p13 other_config
        add Port p13 other_config k=y k=z l=1
        get Port p13 other_config
        add Port p13 fake_bridge true
        add Port p13 interfaces @new -- --id=@new create Interface name=new0
        -- --id=@new create Interface name=new0 -- add Port p13 interfaces @new
        del-bond-iface new0
        add Port p13 trunks 5000
        add Bridge br0 mcast_snooping_enable true
        set Port p13 other_config:k=1 other_config:k=2
        set Port p13 other_config:k=1 other_config:m=3 -- list-br
        set Port p13 other_config:k=9 other_config={z=1}
        get Port p13 other_config
        add Open_vSwitch . external_ids a=b
        add Open_vSwitch . external_ids a=c
        get Open_vSwitch . external_ids next_cfg
        clear Open_vSwitch . external_ids
        add Port nope trunks 3
        --if-exists add Port nope trunks 3
        add Port p13 trunks 5000
        remove Port p13 trunks 7
        remove Port p13 trunks 8 9 10
        get Port p13 trunks
        remove Port p13 other_config k
        remove Port p13 other_config k=v
        remove Port p16 other_config a=x c=d
        get Port p16 other_config
        remove Port p13 interfaces x
        remove Bridge br0 name br0
        remove Interface p10 name p10
        clear Port p13 trunks
        get Port p13 trunks
        clear Port p13 interfaces
        clear Port p13 name
        clear Port p13 fake_bridge
        clear Port nope tag
        --if-exists clear Port nope tag
        clear Port p16 other_config external_ids
    """,
    "list and find": r"""
        list Port p10
        list Port p10 p13
        list Port nope
        --if-exists list Port nope
        --columns=name,tag,trunks list Port p10 p13 p16
        --columns=name,_uuid list Bridge
        --columns= list Bridge
        --columns=x list Bridge
        list Open_vSwitch
        list Bridge
        list Interface p10 vlan1000
        list QoS
        -f table --columns=name,tag,trunks list Port p10 p13
        -f csv --columns=name,tag,external_ids,other_config list Port p10 p13
        -f html --columns=_uuid,name,interfaces list Port p10 p13
        -f json --columns=name,tag,trunks,other_config,fake_bridge list Port p10 p13
        -f json --pretty --columns=name,tag,trunks list Port p10 p13
        -f table -d bare --columns=name,tag,trunks list Port p10 p13
        -f table -d json --columns=name,tag,trunks,other_config list Port p10 p13
        -f table --no-headings --columns=name,tag list Port p10
        --bare --columns=name,tag,interfaces list Port p10 p13
        -f list --no-headings --columns=name,tag list Port p10 p13
        -f table --max-column-width=3 --columns=name,tag list Port vlan1000
        -f foo list Port
        -d foo list Port
        --columns=name find Port tag=11
        --columns=name find Port tag!=11 fake_bridge=false
        --columns=name find Port tag>=11
        --columns=name find Port "trunks{>=}1"
        --columns=name find Port "trunks{<}[1,2,3,4]"
        --columns=name find Port other_config:k=v
        --columns=name find Port other_config:a=b
        --columns=name find Port other_config:a!=b
        --columns=name find Port "other_config:a{not-in}b"
        --columns=name find Port "other_config:a{in}b,c"
        --columns=name find Port tag:3=2
        --columns=name find Port tag
        --columns=name find Port name=p10 -- --columns=name find Port name=p13
        find Mirror external_ids
        find Port _uuid
        find Port foo=3
        list-br -- --columns=name list Port p10 -- --columns=name list Port p13 -- list-ports br0
        --oneline list-br -- list-ports br0
        --oneline get Port p10 name tag
    """,
    "create and destroy": r"""
        create Bridge name=xbr
        create Port name=lone
        -- --id=@p create Port name=lone interfaces=@i -- --id=@i create Interface name=lone -- add Bridge br0 ports @p
        -- --id=@m create Mirror name=m0 select_all=true output-port=@p -- --id=@p get Port p10 -- set Bridge br0 mirrors=@m
        -- --id=@p get Port p10 -- --id=@m create Mirror name=m0 select_all=true output-port=@p -- set Bridge br0 mirrors=@m
        get Mirror m0 select_all name
        destroy Mirror m0
        clear Bridge br0 mirrors
        get Mirror m0 name
        --id=x create Port name=f
        -- --id=@a create Port name=f -- --id=@a create Port name=g
        --all destroy QoS
        --all destroy QoS foo
        --all --if-exists destroy QoS
        destroy QoS
        destroy Port nope
        --if-exists destroy Port nope
        list QoS
        comment hello world
        wait-until Port p10 tag=12
        wait-until Port p10 tag
        -t x list-br
        -t 0 list-br
    """,
    "external ids": r"""
        br-set-external-id br0 k v
        br-set-external-id br0 k2 v2
        br-get-external-id br0
        br-get-external-id br0 k
        br-get-external-id br0 nokey
        br-set-external-id br0 k
        br-get-external-id br0
        br-set-external-id fake0 fk fv
        br-get-external-id fake0
        br-get-external-id fake0 fk
        br-set-external-id nobr k v
        br-set-external-id br0
    """,
    "bonds": r"""
        add-bond br0 bond0 e0 e1
        add-bond br0 bond1 e2
        add-bond br0 bond1 e2 tag=3
        add-bond br0 bond1 e0 e3
        add-bond br0 bond1 e3 e4 lacp=active bond_mode=balance-tcp
        --may-exist add-bond br0 bond0 e1 e0
        --may-exist add-bond br0 bond0 e1 e9
        --fake-iface add-bond br0 bond2 e5 e6
        add-bond-iface bond0 e7
        add-bond-iface bond0 e7
        --may-exist add-bond-iface bond0 e7
        --may-exist add-bond-iface bond1 e7
        del-bond-iface bond0 e7
        del-bond-iface bond0 e7
        --if-exists del-bond-iface e7
        del-bond-iface bond1 e0
        del-bond-iface e0
        del-bond-iface e1
        add-bond-iface nope e8
        list-ifaces br0
        show
    """,
    "deleting ports": r"""
        add-port br0 e1
        add-br bond0
        add-br e1
        add-br p10
        del-port bond0
        del-port br0 nope
        del-port nope
        del-port br0
        --if-exists del-port br0
        --if-exists del-port nope
        del-port br0 p11
        del-port fake0 p11
        del-port br1 p10
        del-port fake0 p10
        del-port e3
        --with-iface del-port e3
        --with-iface del-port e33
        --if-exists del-port p13 p14 p15
    """,
    "auto-attach": r"""
        get-aa-mapping br0
        del-aa-mapping br0 1 2
        add-aa-mapping br0 100 200
        add-aa-mapping br0 100 201
        add-aa-mapping br0 100 199
        add-aa-mapping br0 101 200
        add-aa-mapping br0 0x10 7
        add-aa-mapping br0 x 7
        add-aa-mapping br0 7 x
        add-aa-mapping br0 " 12z" +13
        add-aa-mapping br0 -1 5
        add-aa-mapping br0 99999999999999999999 5
        add-aa-mapping br0 16777216 5
        add-aa-mapping br0 5 4096
        add-aa-mapping br0 5 -1
        add-aa-mapping br0 9223372036854775808 5
        add-aa-mapping nobr 5 5
        add-aa-mapping br0 5
        get-aa-mapping br0
        get-aa-mapping fake0
        add-aa-mapping fake0 300 300
        add-aa-mapping br0 301 301 -- add-aa-mapping br0 302 302 -- get-aa-mapping br0
        list AutoAttach
        list AutoAttach br0
        del-aa-mapping br0 300 301
        get-aa-mapping br0
        del-aa-mapping br0 100 200
        del-aa-mapping br0 x 200
        del-aa-mapping nobr 100 200
        get-aa-mapping br0
        get-aa-mapping nobr
        set AutoAttach br0 system_name=x
        clear Bridge br0 auto_attach
        get-aa-mapping br0
    """,
    "datapaths and zones": r"""
        list-zone-tp system
        list-dp-cap system
        add-zone-tp system zone=1 icmp_first=1
        del-zone-tp system zone=1
        -- --id=@d create Datapath datapath_version=x -- set Open_vSwitch . datapaths:system=@d
        list-zone-tp system
        list-dp-cap system
        set Datapath . capabilities:max_vlan_headers=2
        list-dp-cap system
        add-zone-tp system zone=1 icmp_first=1 icmp_reply=2
        add-zone-tp system zone=1 icmp_first=1 icmp_reply=2
        --may-exist add-zone-tp system zone=1 icmp_first=3
        add-zone-tp system zone=2 icmp_first=3
        add-zone-tp system zone=0x10 icmp_first:4 udp_single(5) icmp_reply
        add-zone-tp system zone=010 icmp_first=4,icmp_reply=5
        add-zone-tp system zone=3
        add-zone-tp system zone=70000 icmp_first=3
        add-zone-tp system zone=-1 icmp_first=3
        add-zone-tp system zone=5 nothing=3
        add-zone-tp system zone=5 icmp_first=-1
        add-zone-tp system zone=5x icmp_first=xx
        add-zone-tp system zone=6 icmp_first=1 icmp_first=2
        add-zone-tp system zone=7 icmp_first=8 icmp_first=7 icmp_reply=3
        add-zone-tp other zone=5 icmp_first=1
        list-zone-tp system
        list-zone-tp other
        list CT_Timeout_Policy
        --columns=timeouts list CT_Timeout_Policy
        -- --id=@z create CT_Zone external_ids:a=b -- add Datapath . ct_zones 9=@z
        list-zone-tp system
        del-zone-tp system zone=2
        del-zone-tp system zone=2
        --if-exists del-zone-tp system zone=2
        del-zone-tp system zone=-3
        del-zone-tp other zone=2
        add-zone-tp system zone=20 icmp_first=9 -- add-zone-tp system zone=21 icmp_first=9 -- del-zone-tp system zone=1
        add-zone-tp system zone=22 icmp_first=9 -- del-zone-tp system zone=22
        list-zone-tp system
        list CT_Zone
        clear Open_vSwitch . datapaths
        list Datapath
    """,
    "controllers, managers and SSL": r"""
        get-controller br0
        set-controller br0 tcp:1.2.3.4:6633 ssl:1.2.3.4
        get-controller br0
        set-controller br0 foo
        get-controller fake0
        set-controller fake0 tcp:1.1.1.1
        --inactivity-probe=3000 set-controller br0 tcp:1.2.3.4
        get Controller br0 inactivity_probe target
        show
        del-controller br0
        get-controller br0
        get-fail-mode br0
        set-fail-mode br0 secure
        get-fail-mode br0
        set-fail-mode br0 foo
        del-fail-mode br0
        get-manager
        set-manager ptcp:6640 tcp:1.2.3.4:5
        get-manager
        show
        del-manager
        get-ssl
        set-ssl a b c
        get-ssl
        --bootstrap set-ssl a b c
        get-ssl
        del-ssl
        get-ssl
    """,
    "reset and deleting bridges": r"""
        emer-reset
        show
        del-br fake0
        del-br fake0
        --if-exists del-br fake0
        del-br br0
        del-br br0
        show
        list-ports br0
    """,
    "the command line": r"""
        foo
        --foo list-br
        --if-exists list-br
        --if-exists
        --may-exist --may-exist add-br x
        --ma add-br brabbr
        add-br
        add-br a b c d
        list-br x
        list-br --real
        get Port
        -- list-br -- -- list-br
        list-br --
        --
        --id
        --id= get Bridge brabbr
        -- --columns list Bridge
        -- --real=3 list-br
        -x list-br
        -t
        --dry-run=3 list-br
        --dry-run add-br dry0
        list-br
        --no-syslog list-br
        get Open_vSwitch . next_cfg cur_cfg
        set Open_vSwitch . external_ids:system-id=abc
        get o . external_ids
        get Open_vSwitch foo next_cfg
        set Open_vSwitch . next_cfg=9
        --db=tcp:127.0.0.1:1 list-br
        --db=unix:/nonexistent/db.sock list-br
    """,
}
