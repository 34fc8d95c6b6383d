#!/bin/sh
# What a node's root needs to be a container. Runs inside of it (chroot), after install.sh.
set -eu

# The kernel's messages are the host's.
echo 'ReadKMsg=no' >>/etc/systemd/journald.conf.d/lab.conf

# These have no work in a container, or look for the internet by themselves.
systemctl --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    getty@tty1.service console-getty.service \
    systemd-firstboot.service systemd-update-utmp.service systemd-udevd.service \
    systemd-random-seed.service systemd-journald-audit.socket \
    sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    dev-hugepages.mount dev-mqueue.mount
# Debian's defaults for the kernel are the host's to set; a node's own network
# settings are read from /etc/sysctl.d at every start as ever.
rm -f /usr/lib/sysctl.d/*.conf

# The entry script makes them.
rm -f /etc/hosts /etc/resolv.conf
