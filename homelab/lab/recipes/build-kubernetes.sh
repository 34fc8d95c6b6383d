#!/bin/sh
# Build Kubernetes from Debian's source package, unpacked in SOURCE, into OUT.
#
#   build-kubernetes.sh SOURCE OUT VERSION SOURCE_DATE_EPOCH
#
# Debian bookworm holds the only full Kubernetes source in Debian, so that the
# lab needs no download but from a Debian mirror. debian/rules builds the same
# targets; we call make ourselves because of the three points marked below.
set -eu
source=$1 out=$2 version=$3 epoch=$4
programs="kubeadm kubelet kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl"

# 1. The vendored modern-go/reflect2 1.0.1 panics with Go 1.18 and later
#    (https://github.com/modern-go/reflect2/issues/22): kubeadm dies while it
#    writes the kubelet's configuration. Debian packages 1.0.2, which is mended.
vendored=$source/vendor/github.com/modern-go/reflect2
packaged=/usr/share/gocode/src/github.com/modern-go/reflect2
cp "$packaged"/*.go "$packaged"/*.s "$vendored"/
rm -f "$vendored"/go_above_17.go "$vendored"/go_below_17.go "$vendored"/go_below_19.go

# 2. No git here: the version has to be told, else it is v0.0.0-master and
#    kubeadm refuses its own configuration.
major=${version%%.*} rest=${version#*.}
cat >"$source/.version" <<END
KUBE_GIT_COMMIT='debian'
KUBE_GIT_TREE_STATE='archive'
KUBE_GIT_VERSION='v$version'
KUBE_GIT_MAJOR='$major'
KUBE_GIT_MINOR='${rest%%.*}'
END

# 3. Static and reproducible, so that a one-file image can hold each program
#    and the same inputs give the same checksums on every machine. Without
#    dockershim, whose kubelet asks for a Docker daemon for 5 s at every start.
export CGO_ENABLED=0 GOFLAGS="-trimpath -tags=dockerless" GOLDFLAGS="-s -w" SOURCE_DATE_EPOCH="$epoch"
export KUBE_GIT_VERSION_FILE="$source/.version"
export HOME="$source/.home" GOPATH="$source/.go"
mkdir -p "$HOME" "$GOPATH/src/k8s.io"
ln -sfn "$source" "$GOPATH/src/k8s.io/kubernetes"

what=
for program in $programs; do what="$what cmd/$program"; done
cd "$GOPATH/src/k8s.io/kubernetes"
make WHAT="${what# }"

mkdir -p "$out"
for program in $programs; do install -m 0755 "_output/bin/$program" "$out/$program"; done

# The pause container of every pod: thirty lines of C, in the same source.
gcc -Os -Wall -static -s -DVERSION="v$version" -o "$out/pause" build/pause/linux/pause.c
