#!/usr/bin/env bash
# The cluster by hand: what deploys/cluster.py does, as plain bash over multiplexed SSH. It is the
# measure for the deploy's speed, so it takes every short cut that still does the same work in the
# same order: no facts, no checks of what is there, no second run. Fresh machines only.
#
#   bare.sh FOLDER       FOLDER is written by `python -m bench.render`: site.env, and for each
#                        machine NAME.tar (its documents) and NAME.sh (what brings them into force)
#
# Prints "SECONDS PHASE" lines on standard output, what the machines say on standard error.
set -euo pipefail
folder=$1
# shellcheck source=/dev/null
. "$folder/site.env"
: "${CONTROL_PLANES:?}" "${WORKERS?}" "${VIP:?}" "${PORT:?}" "${SSH_OPTIONS:?}" "${CONFIG:?}" \
    "${ETCD_CONFIG:?}" "${CA_HASH:?}" "${PATCHES?}" "${ADDONS?}"

sockets=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$sockets"' EXIT
read -ra options <<<"$SSH_OPTIONS"
options+=(-o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$sockets/%h")

address() {
    local variable=ADDRESS_${1//-/_}
    echo "${!variable}"
}

on() {  # on NAME COMMAND...: run it there as root, with our standard input
    local there
    there=$(address "$1")
    shift
    # shellcheck disable=SC2029  # meant to be expanded here
    ssh "${options[@]}" "$there" sudo "$@"
}

each() {  # each FUNCTION NAME...: at the same time; fails if one of them does
    local work=$1 jobs=() job name
    shift
    for name in "$@"; do "$work" "$name" & jobs+=($!); done
    for job in "${jobs[@]}"; do wait "$job"; done
}

start=$EPOCHREALTIME last=$EPOCHREALTIME
phase() {  # phase NAME: the time since the phase before
    local now=$EPOCHREALTIME
    awk "BEGIN {printf \"%7.2f %s\n\", $now - $last, \"$1\"}"
    last=$now
}

host() {
    on "$1" tar -C / --no-same-owner --no-overwrite-dir -x -f - <"$folder/$1.tar"
    on "$1" sh -eu -s <"$folder/$1.sh" >&2
}

# What the machines' own scripts begin with. A phase that met a balancer which had just lost its
# only backend for a moment (a busy machine) is tried again.
KUBEADM="
phase() {
    for _ in 1 2 3 4; do kubeadm init phase \"\$@\" --config $CONFIG >&2 && return; sleep 1; done
    return 1
}
sized() {
    until kubectl --kubeconfig=/etc/kubernetes/admin.conf get node \"\$1\" 2>/dev/null \\
        -o jsonpath='{.status.allocatable.ephemeral-storage}' | grep -q '[1-9]'; do sleep 0.2; done
}
ready() {
    until curl -skf -o /dev/null --max-time 2 \"https://\$1/readyz\"; do sleep 0.1; done
}"

certificates() {
    on "$1" bash -eu -s <<REMOTE
$KUBEADM
mkdir -p /etc/kubernetes/manifests  # else kubelet looks for manifests every 20 s only
phase certs all
phase kubeconfig all
REMOTE
}

authorities() {  # from the first control plane's files to another one's
    on "$first" tar -C /etc/kubernetes/pki -c -f - ca.crt ca.key sa.key sa.pub \
        front-proxy-ca.crt front-proxy-ca.key etcd/ca.crt etcd/ca.key |
        on "$1" sh -c "'umask 077; mkdir -p /etc/kubernetes/pki; tar -C /etc/kubernetes/pki -x -f -'"
}

kubelet() {
    on "$1" bash -eu -s <<REMOTE
$KUBEADM
phase kubelet-start
sized $1
phase kubelet-finalize all
REMOTE
}

prepare() {
    authorities "$1"
    certificates "$1"
}

init() {
    certificates "$first"
    each prepare "${others[@]}" &
    local preparing=$!
    on "$first" bash -eu -s <<REMOTE
$KUBEADM
phase etcd local $PATCHES
phase control-plane all $PATCHES
phase kubelet-start
ready 127.0.0.1:6443
REMOTE
    wait "$preparing"
    each kubelet "${others[@]}" &
    local starting=$!
    on "$first" bash -eu -s <<REMOTE
$KUBEADM
ready $VIP:$PORT
sized $first
# restarts kubelet: not before, or it refuses etcd (deploys/conditions.py, node_sized); and now it
# makes the static pods' mirrors at once, which failed while there was no API
phase kubelet-finalize all
phase upload-config all
phase mark-control-plane
phase bootstrap-token
for addon in $ADDONS; do phase addon "\$addon"; done
REMOTE
    wait "$starting"
}

join() {  # a control plane, whose etcd is a learner until it is in sync
    local here from
    here=$(address "$1") from=$(address "$first")
    on "$1" bash -eu -s <<REMOTE
$KUBEADM
etcd() {
    etcdctl --endpoints=https://$from:2379 --command-timeout=60s \
        --cacert=/etc/kubernetes/pki/etcd/ca.crt \
        --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key "\$@"
}
id=\$(etcd member add $1 --learner --peer-urls=https://$here:2380 |
    sed -n 's/^Member *\([0-9a-f]*\) added.*/\1/p')
kubeadm init phase etcd local --config $ETCD_CONFIG $PATCHES >&2
until etcd member promote "\$id" >/dev/null 2>&1; do sleep 0.2; done
phase control-plane all $PATCHES
ready 127.0.0.1:6443
phase upload-config kubeadm
phase mark-control-plane
REMOTE
}

worker() {
    on "$1" bash -eu -s <<REMOTE
mkdir -p /etc/kubernetes/manifests
sed -i 's/$CA_HASH/$ca_hash/' $CONFIG
kubeadm join --skip-phases=preflight --config $CONFIG >&2
REMOTE
}

serving() {  # certificates for all kubelets, asked for by their own nodes
    local nodes=$((${#control_planes[@]} + ${#workers[@]}))
    on "$first" bash -eu -s <<REMOTE
export KUBECONFIG=/etc/kubernetes/admin.conf
until [ "\$(kubectl get csr --no-headers | awk '/kubelet-serving/ && /Issued/ {print \$4}' |
    sort -u | wc -l)" = $nodes ]; do
    kubectl get csr --no-headers | awk '/kubelet-serving/ && /Pending/ {print \$1}' |
        xargs -r kubectl certificate approve >/dev/null
    sleep 0.2
done
REMOTE
}

well() {  # its static pods, asked themselves: kubelet makes their mirrors up to a minute late
    on "$1" bash -eu -s <<REMOTE
for asked in 6443/readyz 10257/healthz 10259/healthz; do
    until curl -skf -o /dev/null --max-time 2 "https://127.0.0.1:\$asked"; do sleep 0.1; done
done
REMOTE
}

health() {  # every node Ready, every static pod and etcd member well, pods reach each other and a Service made just now
    on "$first" bash -eu -s <<REMOTE
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl wait node --all --for=condition=Ready --timeout=120s >&2
etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt \
    --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key \
    endpoint health --cluster >&2
kubeadm token list -o jsonpath='{.token}{"\n"}' | xargs -r kubeadm token delete >&2
REMOTE
    on "$first" sh -c "$(printf %q "$(<"$folder/health.sh")")" <"$folder/health.yaml" >&2
}

read -ra control_planes <<<"$CONTROL_PLANES"
read -ra workers <<<"$WORKERS"
first=${control_planes[0]} others=("${control_planes[@]:1}")

each host "${control_planes[@]}" "${workers[@]}"
phase host
init
phase init
for name in "${others[@]}"; do
    join "$name"
    phase "join $name"
done
# shellcheck disable=SC2016
ca_hash=$(on "$first" sh -c "'openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt |
    openssl pkey -pubin -outform der | sha256sum | cut -c-64'")
each worker "${workers[@]}"
phase workers
serving
phase serving
each well "${control_planes[@]}"
health
phase health
last=$start
phase total
