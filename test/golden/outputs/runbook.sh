#!/bin/sh
# pod-a > pod-b: the checks of its way on the real cluster, step by step.
#
# Below each command stands, as a comment, what it prints where all is as in
# the trace (delivered and answered). The first one that prints something else
# is where the real path parts from it.
#
# It reads and changes nothing: ip, bridge, iptables -S, sysctl, ss. It needs
# kubectl with the right to get Pods and Nodes and to debug nodes. Each visit
# to a node makes one debugging Pod, privileged, so that it can enter
# namespaces, with the tools of the node itself (chroot /host). The last lines
# say how to find these Pods afterwards.
#
# Pods are looked into from their node (crictl, nsenter), since most images
# have no tools. Where a node has no crictl, this looks into a Pod: kubectl
# debug POD -it --image=IMAGE --target=CONTAINER -- sh
#
# Neighbours and learned rows are there once a packet was sent: let the client
# try once just before. A neighbour may as well be REACHABLE, STALE or DELAY.
#
# MAC-1, VETH-1 and the like stand for names that are drawn by chance on a
# real node: the same name is the same thing. Prefixes and addresses in the
# comments are those of the trace.
set -u
image=${IMAGE:-busybox}

# How a node is reached. With ssh instead: ssh "root@$1" sh -vs
on_node() {
  kubectl debug "node/$1" -i -q --profile=sysadmin --image="$image" -- chroot /host sh -vs
}

pod_address() {
  kubectl get pod -n "$1" "$2" -o 'jsonpath={.status.podIP}'
}

node_address() {
  kubectl get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'
}

# The Pods' range of a node: its tunnel has the first address, its bridge the next.
range_of() {
  kubectl get node "$1" -o 'jsonpath={.spec.podCIDR}'
}

network_of() {
  range=$(range_of "$1")
  echo "${range%/*}"
}

first_of() {
  range=$(range_of "$1")
  echo "${range%.*}.1"
}

# Addresses. Where the trace made one up, the cluster is asked.
# 10.244.2.2, default/pod-b
ip1=$(pod_address default pod-b)
# 10.244.1.1, cni0 of node-1
ip2=$(first_of node-1)
# 10.244.1.2, default/pod-a
ip3=$(pod_address default pod-a)
# 10.244.2.0, flannel.1 of node-2
ip4=$(network_of node-2)
# 192.168.10.12, node-2
ip5=$(node_address node-2)
# 192.168.10.11, node-1
ip6=$(node_address node-1)
# 10.244.2.1, cni0 of node-2
ip7=$(first_of node-2)
# 10.244.1.0, flannel.1 of node-1
ip8=$(network_of node-1)

prelude() {
  printf "%s='%s'\n" ip1 "$ip1"
  printf "%s='%s'\n" ip2 "$ip2"
  printf "%s='%s'\n" ip3 "$ip3"
  printf "%s='%s'\n" ip4 "$ip4"
  printf "%s='%s'\n" ip5 "$ip5"
  printf "%s='%s'\n" ip6 "$ip6"
  printf "%s='%s'\n" ip7 "$ip7"
  printf "%s='%s'\n" ip8 "$ip8"
  cat <<'END'
pid_of() {
  sandbox=$(crictl pods -q --state Ready --label "io.kubernetes.pod.namespace=$1" --label "io.kubernetes.pod.name=$2" | head -n 1)
  crictl inspectp -o go-template --template '{{.info.pid}}' "$sandbox"
}
in_pod() {
  nsenter -t "$pid" -n "$@"
}
lladdr() {
  sed -n 's/.* lladdr \([0-9a-f:]*\).*/\1/p' | head -n 1
}
END
}

{ prelude; cat <<'END'

pid=$(pid_of default pod-a)
# step 2, route: 10.244.0.0/16 via 10.244.1.1 dev eth0
in_pod ip route get fibmatch "$ip1"
#> 10.244.0.0/16 via 10.244.1.1 dev eth0

# step 3, neighbour: 10.244.1.1 is at MAC-1
in_pod ip neigh show to "$ip2"
#> 10.244.1.1 dev eth0 lladdr MAC-1 REACHABLE
mac2=$(in_pod ip neigh show to "$ip2" | lladdr)

# step 4, eth0: --> VETH-1 of the node
in_pod ip -o link show dev eth0
#> a line with: UP,LOWER_UP

# step 8, cni0: from VETH-1, for the bridge's own MAC
cat /sys/class/net/cni0/address
#> MAC-1

# step 10, route: 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
ip route get fibmatch "$ip1" from "$ip3" iif cni0
#> 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink

# step 11, forward: cni0 -> flannel.1
sysctl net.ipv4.ip_forward
#> net.ipv4.ip_forward = 1

# step 13, rule: FLANNEL-FWD rule 1 accepts
iptables -t filter -S FLANNEL-FWD 1
#> -A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT

# steps 15 and 25, rule: KUBE-POSTROUTING rule 1 returns
iptables -t nat -S KUBE-POSTROUTING 1
#> -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN

# step 16, rule: FLANNEL-POSTRTG rule 2 returns
iptables -t nat -S FLANNEL-POSTRTG 2
#> -A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN

# step 18, neighbour: 10.244.2.0 is at MAC-2
ip neigh show to "$ip4"
#> 10.244.2.0 dev flannel.1 lladdr MAC-2 PERMANENT
mac4=$(ip neigh show to "$ip4" | lladdr)

# step 19, flannel.1: --> into the tunnel
ip -o link show dev flannel.1
#> a line with: UP,LOWER_UP

# step 20, flannel.1: VNI 1 in UDP 8472, 192.168.10.11 -> 192.168.10.12
bridge fdb show | grep -F "$mac4"
#> MAC-2 dev flannel.1 dst 192.168.10.12 self permanent

# step 21, route: 192.168.10.0/24 dev eth0
ip route get fibmatch "$ip5"
#> 192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11

# step 27, neighbour: 192.168.10.12 is at MAC-3
ip neigh show to "$ip5"
#> 192.168.10.12 dev eth0 lladdr MAC-3 REACHABLE
mac5=$(ip neigh show to "$ip5" | lladdr)

# step 28, eth0: ==> wire ==> eth0 of node-2
ip -o link show dev eth0
#> a line with: UP,LOWER_UP
END
} | on_node node-1

{ prelude; cat <<'END'

# step 33, route: 192.168.10.12 is an address of this namespace
ip route get fibmatch "$ip5" from "$ip6" iif eth0
#> local 192.168.10.12 dev eth0 proto kernel scope host src 192.168.10.12

# step 36, flannel.1: unpacks VNI 1, packed by 192.168.10.11 (node-1)
ip -d link show dev flannel.1 | grep vxlan
#> a line with: vxlan id 1

# step 40, route: 10.244.2.0/24 dev cni0
ip route get fibmatch "$ip1" from "$ip3" iif flannel.1
#> 10.244.2.0/24 dev cni0 proto kernel scope link src 10.244.2.1

# steps 41 and 64, forward: flannel.1 -> cni0
sysctl net.ipv4.ip_forward
#> net.ipv4.ip_forward = 1

# step 43, rule: FLANNEL-FWD rule 1 accepts
iptables -t filter -S FLANNEL-FWD 1
#> -A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT

# steps 45 and 74, rule: KUBE-POSTROUTING rule 1 returns
iptables -t nat -S KUBE-POSTROUTING 1
#> -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN

# step 46, rule: FLANNEL-POSTRTG rule 3 returns
iptables -t nat -S FLANNEL-POSTRTG 3
#> -A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.2.0/24 -m comment --comment "flanneld masq" -j RETURN

# step 48, neighbour: 10.244.2.2 is at MAC-4
ip neigh show to "$ip1"
#> 10.244.2.2 dev cni0 lladdr MAC-4 REACHABLE
mac1=$(ip neigh show to "$ip1" | lladdr)

# step 49, cni0: --> into the bridge
ip -o link show dev cni0
#> a line with: UP,LOWER_UP

# step 50, cni0: MAC-4 is behind port VETH-2
bridge fdb show br cni0 | grep -F "$mac1"
#> MAC-4 dev VETH-2 master cni0

pid=$(pid_of default pod-b)
# step 53, route: 10.244.2.2 is an address of this namespace
in_pod ip route get fibmatch "$ip1" from "$ip3" iif eth0
#> local 10.244.2.2 dev eth0 proto kernel scope host src 10.244.2.2

# step 54, deliver: web listens on 10.244.2.2:8080
in_pod ss -Hlnt 'sport = :8080'
#> a line with: 0.0.0.0:8080, *:8080 or 10.244.2.2:8080

# step 56, route: 10.244.0.0/16 via 10.244.2.1 dev eth0
in_pod ip route get fibmatch "$ip3"
#> 10.244.0.0/16 via 10.244.2.1 dev eth0

# step 57, neighbour: 10.244.2.1 is at MAC-5
in_pod ip neigh show to "$ip7"
#> 10.244.2.1 dev eth0 lladdr MAC-5 STALE
mac7=$(in_pod ip neigh show to "$ip7" | lladdr)

# step 58, eth0: --> VETH-2 of the node
in_pod ip -o link show dev eth0
#> a line with: UP,LOWER_UP

# step 61, cni0: from VETH-2, for the bridge's own MAC
cat /sys/class/net/cni0/address
#> MAC-5

# step 63, route: 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink
ip route get fibmatch "$ip3" from "$ip1" iif cni0
#> 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink

# step 66, rule: KUBE-FORWARD rule 3 accepts
iptables -t filter -S KUBE-FORWARD 3
#> -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT

# step 67, neighbour: 10.244.1.0 is at MAC-6
ip neigh show to "$ip8"
#> 10.244.1.0 dev flannel.1 lladdr MAC-6 PERMANENT
mac8=$(ip neigh show to "$ip8" | lladdr)

# step 68, flannel.1: --> into the tunnel
ip -o link show dev flannel.1
#> a line with: UP,LOWER_UP

# step 69, flannel.1: VNI 1 in UDP 8472, 192.168.10.12 -> 192.168.10.11
bridge fdb show | grep -F "$mac8"
#> MAC-6 dev flannel.1 dst 192.168.10.11 self permanent

# step 70, route: 192.168.10.0/24 dev eth0
ip route get fibmatch "$ip6"
#> 192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.12

# step 76, neighbour: 192.168.10.11 is at MAC-7
ip neigh show to "$ip6"
#> 192.168.10.11 dev eth0 lladdr MAC-7 STALE
mac6=$(ip neigh show to "$ip6" | lladdr)

# step 77, eth0: ==> wire ==> eth0 of node-1
ip -o link show dev eth0
#> a line with: UP,LOWER_UP
END
} | on_node node-2

{ prelude; cat <<'END'

# step 82, route: 192.168.10.11 is an address of this namespace
ip route get fibmatch "$ip6" from "$ip5" iif eth0
#> local 192.168.10.11 dev eth0 proto kernel scope host src 192.168.10.11

# step 85, flannel.1: unpacks VNI 1, packed by 192.168.10.12 (node-2)
ip -d link show dev flannel.1 | grep vxlan
#> a line with: vxlan id 1

# step 88, route: 10.244.1.0/24 dev cni0
ip route get fibmatch "$ip3" from "$ip1" iif flannel.1
#> 10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1

# step 89, forward: flannel.1 -> cni0
sysctl net.ipv4.ip_forward
#> net.ipv4.ip_forward = 1

# step 91, rule: KUBE-FORWARD rule 3 accepts
iptables -t filter -S KUBE-FORWARD 3
#> -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT

# step 92, neighbour: 10.244.1.2 is at MAC-8
ip neigh show to "$ip3"
#> 10.244.1.2 dev cni0 lladdr MAC-8 STALE
mac3=$(ip neigh show to "$ip3" | lladdr)

# step 93, cni0: --> into the bridge
ip -o link show dev cni0
#> a line with: UP,LOWER_UP

# step 94, cni0: MAC-8 is behind port VETH-1
bridge fdb show br cni0 | grep -F "$mac3"
#> MAC-8 dev VETH-1 master cni0

pid=$(pid_of default pod-a)
# step 97, route: 10.244.1.2 is an address of this namespace
in_pod ip route get fibmatch "$ip3" from "$ip1" iif eth0
#> local 10.244.1.2 dev eth0 proto kernel scope host src 10.244.1.2
END
} | on_node node-1

# The debugging Pods, which have ended, to be deleted by whoever made them:
# kubectl get pods -o name | grep node-debugger-
