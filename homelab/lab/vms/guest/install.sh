#!/bin/sh
# What a node's root needs to boot by itself: a small initial RAM disk, a network, keys of its own.
# Runs inside of it (chroot), after node/install.sh.
set -eu

# Only what finds the root: a third of the size, and an emulated machine unpacks it.
sed -i 's/^MODULES=.*/MODULES=list/' /etc/initramfs-tools/initramfs.conf
printf '%s\n' virtio_pci virtio_blk ext4 crc32c_generic >>/etc/initramfs-tools/modules
echo 'RESUME=none' >/etc/initramfs-tools/conf.d/resume
update-initramfs -u

echo '127.0.0.1 localhost' >/etc/hosts
echo '# the lab has no name server' >/etc/resolv.conf
echo '/dev/vda / ext4 defaults,noatime 0 0' >/etc/fstab

# The management NIC by its address; any other one asks for an address, as on a machine that
# somebody has just installed. The deploy's own files sort before these, so they win.
mkdir -p /etc/systemd/network
install -m 0644 /root/management /etc/systemd/network/80-management.network
rm /root/management
cat >/etc/systemd/network/90-plain.network <<'END'
[Match]
Driver=virtio_net

[Link]
RequiredForOnline=no

[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no

[DHCPv4]
ClientIdentifier=mac
END
systemctl --quiet enable systemd-networkd

# At the first start: keys that machines from one box must not share, and the name, which the
# kernel was told, where an installer writes it.
cat >/usr/local/sbin/first-boot <<'END'
#!/bin/sh
set -eu
hostname >/etc/hostname
printf '127.0.1.1 %s\n' "$(hostname)" >>/etc/hosts
for type in ed25519 ecdsa; do
    ssh-keygen -q -t "$type" -N '' -f "/etc/ssh/ssh_host_${type}_key"
done
END
chmod 0755 /usr/local/sbin/first-boot
cat >/etc/systemd/system/first-boot.service <<'END'
[Unit]
Description=What each machine has for itself
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ecdsa_key

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/first-boot

[Install]
RequiredBy=ssh.service
END
systemctl --quiet enable first-boot
# Each test that wants to hear it starts it.
systemctl --quiet disable lldpd
# Their work would cost an emulated machine minutes, or there is nobody to log in.
systemctl --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    getty@tty1.service serial-getty@ttyS0.service systemd-firstboot.service
