#!/bin/sh
# Turn a bare Debian root into a node of the lab. Runs inside of it (chroot);
# the bundle's files and the entry script have been put in place before.
set -eu

adduser --quiet --disabled-password --gecos '' --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
chmod 0440 /etc/sudoers.d/vagrant
install -d -o vagrant -g vagrant -m 0700 /home/vagrant/.ssh
install -o vagrant -g vagrant -m 0600 /root/authorized_keys /home/vagrant/.ssh/authorized_keys
rm /root/authorized_keys

# SSH answers at once: no reverse look-ups, no banner, and room for many sessions
# at the same time over one connection.
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/sshd_config.d/lab.conf <<'END'
UseDNS no
PrintMotd no
PrintLastLog no
GSSAPIAuthentication no
PasswordAuthentication no
MaxStartups 100:30:200
MaxSessions 100
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
END
sed -i '/pam_motd\|pam_mail\|pam_lastlog/d' /etc/pam.d/sshd

# The log survives a power cut, and does not fill the disk or copy the host's.
mkdir -p /var/log/journal /etc/systemd/journald.conf.d
cat >/etc/systemd/journald.conf.d/lab.conf <<'END'
[Journal]
Storage=persistent
SystemMaxUse=100M
ReadKMsg=no
RateLimitIntervalSec=0
END

# The deploy turns these on. containerd's CRI plugin would look for images.
systemctl --quiet disable containerd haproxy keepalived nftables
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
systemctl --quiet set-default multi-user.target

# PAM complains at every login if it is missing.
: >/etc/default/locale

: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/hostname /etc/hosts /etc/resolv.conf
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt
