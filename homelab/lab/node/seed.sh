#!/bin/sh
# Fill the containerd store below ROOT with the image tars in IMAGES, unpacked, by
# the containerd that is inside of ROOT.
#
#   seed.sh ROOT IMAGES
#
# In namespaces of its own: whatever happens, no process, mount or listening port
# of it is left when this script ends.
set -eu
exec unshare --mount --pid --net --ipc --fork --kill-child sh -eu -c '
    root=$1 images=$2
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/mnt"
    mkdir "$root/mnt/images"
    mount --bind "$images" "$root/mnt/images"
    chroot "$root" sh -eu -c "
        containerd --log-level warn &
        daemon=\$!
        tries=0
        until ctr version >/dev/null 2>&1; do
            tries=\$((tries + 1))
            [ \$tries -lt 100 ] || { echo containerd does not answer; exit 1; }
            sleep 0.1
        done
        find /mnt/images -name \"*.tar\" | sort | while read -r tar; do
            ctr -n k8s.io images import \"\$tar\"
        done
        ctr -n k8s.io images list -q
        kill \$daemon
        wait \$daemon || true
    "
' seed "$1" "$2"
