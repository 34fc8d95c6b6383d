#!/bin/sh
# Turn a bare Debian root into a node of the lab, a container or a VM. Runs inside of it (chroot);
# the bundle's files have been put in place before.
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

# The log survives a power cut, and does not fill the disk.
mkdir -p /var/log/journal /etc/systemd/journald.conf.d
cat >/etc/systemd/journald.conf.d/lab.conf <<'END'
[Journal]
Storage=persistent
SystemMaxUse=100M
RateLimitIntervalSec=0
END

# The deploy turns these on. containerd's CRI plugin would look for images.
systemctl --quiet disable containerd haproxy keepalived nftables
systemctl --quiet set-default multi-user.target

# PAM complains at every login if it is missing.
: >/etc/default/locale

: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/hostname
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt
