#!/bin/sh
# Changes this machine's network on trial: what is not proven and confirmed in time is taken back,
# by the machine itself. It needs no controller, survives the loss of SSH, and after a restart in
# the middle the machine comes up with its old network.
#
# begin SECONDS  standard input: a tar (base64) with new/ (the files), activate, keep, probes/
# apply          commit the files, bring them into force, ask all probes; what `begin` starts
# verdict        "trial: ...", "sound", "confirmed ..." or "taken back ...: why"
# confirm        from a new login: keep it if it is sound; prints the verdict
# back WHY       the old files, and the old network
# boot           the old files, before any network is up
# saved          by hand, at the console: the files from before the last change that was kept;
#                `reboot` brings them into force
#
# A probe is a file of shell whose first line is "# always NAME", or "# before NAME": then it counts
# only if it passed before the change. What it met is the last line that it prints.
set -eu
umask 077
home=/var/lib/homelab/network trial=/var/lib/homelab/network/trial me=$0
timer=homelab-network-back
roots="etc/systemd/network etc/systemd/networkd.conf.d etc/network etc/netplan etc/resolv.conf
	etc/modprobe.d/homelab.conf etc/udev/rules.d/05-homelab-bonds.rules
	var/lib/homelab/applied/network"
managers="networking.service NetworkManager.service systemd-networkd.service"

locked() { exec 8>/run/homelab-network.lock; flock -w 30 8; }

say() {
	echo "$*" >"$home/last.new"
	mv "$home/last.new" "$home/last"
	logger -t homelab-network "$*" || :
}

# ask before: note which probes pass; ask all: print "name: what it met" of those that should but fail
ask() {
	wrong=0
	for probe in "$trial"/probes/*; do
		read -r _ kind name <"$probe"
		case "$1" in
		all) [ "$kind" = always ] || grep -qxF "$name" "$trial/before" || continue ;;
		before) ;;
		esac
		if said=$(timeout -k 1 8 sh "$probe" 2>&1 </dev/null); then
			[ "$1" = all ] || echo "$name" >>"$trial/before"
		else
			echo "$name: $(echo "$said" | tail -n 1)"
			wrong=1
		fi
	done
	return $wrong
}

# Files alone: of a folder in its archive, be it / or /etc, GNU tar makes one that only root may
# enter, until it has put the last file into it (src/extract.c, safe_dir_mode).
commit() (
	cd "$trial/new"
	find . -type d | while read -r folder; do
		[ -d "/$folder" ] || mkdir -m 755 "/$folder"
	done
	find . -type f | tar -cpf - -T - | tar -C / --no-same-owner -xpf -
)

restore_files() { # FOLDER: has old.tar, and the managers that were enabled
	for root in $roots; do rm -rf "/${root:?}"; done
	tar -xpf "$1/old.tar" -C /
	for unit in $managers; do
		if grep -qxF "$unit" "$1/enabled"; then
			systemctl --quiet enable "$unit" || :
		else
			systemctl --quiet disable "$unit" 2>/dev/null || :
		fi
	done
	sync
}

# At once, whatever happens: a trial that is half removed could neither be kept nor taken back.
end_trial() {
	rm -rf "$home/done"
	mv "$trial" "$home/done"
	sync
	rm -rf "$home/done"
}

# The old network from the old files; bonds and VLANs of the trial would keep their new options.
restore_network() {
	for link in $(cat "$trial/names" 2>/dev/null); do ip link delete "$link" 2>/dev/null || :; done
	for unit in $managers; do
		if grep -qxF "$unit" "$trial/active"; then
			systemctl restart "$unit" || :
		else
			systemctl stop "$unit" 2>/dev/null || :
		fi
	done
	rm -f /run/homelab/networkd.* # networkd has read other files than those of the last activation
	systemctl --no-block try-restart homelab-pod-routes.service 2>/dev/null || :
	# the deploy has stopped it before the change (operations/guard.py)
	! systemctl is-enabled -q keepalived.service 2>/dev/null ||
		systemctl restart keepalived.service || :
}

case "${1-}" in
begin)
	if [ -d "$trial" ]; then
		if systemctl is-active -q "$timer.timer" "$timer.service" homelab-network-apply.service; then
			echo "a change of this machine's network is on trial already; it ends within minutes" >&2
			exit 1
		fi
		"$me" back "left over by a run that was killed"
	fi
	locked
	mkdir -p "$home"
	rm -rf "$home/next"
	mkdir "$home/next"
	# folders that are made on the way are for networkd to read, which is not root
	base64 -d | (umask 022 && tar -x -f - -C "$home/next")
	there=$(cd / && for root in $roots; do [ ! -e "$root" ] && [ ! -L "$root" ] || echo "$root"; done)
	# shellcheck disable=SC2086  # a list of words
	tar -C / -cpf "$home/next/old.tar" $there
	for unit in $managers; do
		! systemctl is-active -q "$unit" 2>/dev/null || echo "$unit"
	done >"$home/next/active"
	for unit in $managers; do
		! systemctl is-enabled -q "$unit" 2>/dev/null || echo "$unit"
	done >"$home/next/enabled"
	: >"$home/next/before"
	echo "$2" >"$home/next/seconds"
	sync
	# From here on a restart brings the old files back, and the timer does if nobody confirms.
	mv "$home/next" "$trial"
	sync "$home"
	systemctl stop "$timer.timer" 2>/dev/null || :
	systemctl reset-failed "$timer.service" homelab-network-apply.service 2>/dev/null || :
	systemd-run --quiet --collect --unit="$timer" --on-active="$2" \
		--timer-property=AccuracySec=100ms "$me" back "not confirmed within $2 s"
	systemd-run --quiet --collect --no-block --unit=homelab-network-apply "$me" apply
	;;
apply)
	locked
	exec 8>&-
	end=$(($(cut -d. -f1 /proc/uptime) + $(cat "$trial/seconds") * 2 / 3))
	sleep 1 # until whoever said `begin` has heard that it began
	ask before >/dev/null || :
	echo "the new files are put in place" >"$trial/state"
	commit
	echo "the new network is brought into force" >"$trial/state"
	# a hung activation is a failed one
	if ! said=$(timeout -k 5 60 sh "$trial/activate" 2>&1 </dev/null); then
		exec "$me" back "bringing it into force: $(echo "$said" | tail -n 1)"
	fi
	# the last third of the time is the controller's, for a login
	until open=$(ask all); do
		echo "waiting: $(echo "$open" | paste -sd';')" >"$trial/state.new"
		mv "$trial/state.new" "$trial/state"
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || exec "$me" back "$(echo "$open" | head -n 1)"
		sleep 0.5
	done
	echo sound >"$trial/state"
	;;
verdict)
	if [ ! -d "$trial" ]; then
		cat "$home/last"
	elif state=$(cat "$trial/state" 2>/dev/null) && [ "$state" = sound ]; then
		echo sound
	else
		echo "trial: ${state:-it begins}"
	fi
	;;
confirm)
	locked
	[ "$(cat "$trial/state" 2>/dev/null)" = sound ] || exec "$me" verdict
	sh "$trial/keep"
	rm -rf "$home/saved.new"
	mkdir "$home/saved.new"
	cp "$trial/old.tar" "$trial/enabled" "$home/saved.new"
	rm -rf "$home/saved"
	mv "$home/saved.new" "$home/saved"
	say "confirmed $(date -Is)"
	end_trial # now a restart keeps it, and the timer finds nothing to take back
	systemctl stop "$timer.timer" 2>/dev/null || :
	cat "$home/last"
	;;
back)
	locked
	[ -d "$trial" ] || exit 0
	systemctl stop "$timer.timer" 2>/dev/null || :
	why="${2:-by hand}"
	case "$why" in
	# sound: nobody logged in anew at the new address, or nobody was there any more
	"not confirmed"*) why="$why; its own word: $("$me" verdict)" ;;
	esac
	echo "is taken back: $why" >"$trial/state"
	logger -t homelab-network "taking the old network back: $why" || :
	[ "$(systemctl show -p MainPID --value homelab-network-apply.service)" = $$ ] ||
		systemctl stop homelab-network-apply.service 2>/dev/null || :
	restore_files "$trial"
	exec 8>&- # daemons must not inherit it
	restore_network
	# What answered before has to answer again; if nothing helps, a restart with the old files does.
	end=$(($(cut -d. -f1 /proc/uptime) + 60))
	grep -qxF "the gateway answers" "$trial/before" || end=0
	probe=$(grep -lxF "# always the gateway answers" "$trial"/probes/*) || end=0
	while [ "$end" -gt 0 ] && ! timeout 8 sh "$probe" >/dev/null 2>&1; do
		if [ "$(cut -d. -f1 /proc/uptime)" -ge "$end" ]; then
			say "taken back $(date -Is): $why (and restarted: the old network did not answer)"
			end_trial
			systemctl reboot
			exit 0
		fi
		sleep 1
	done
	locked
	say "taken back $(date -Is): $why"
	end_trial
	;;
boot)
	[ -d "$trial" ] || exit 0
	restore_files "$trial"
	say "taken back $(date -Is): the machine was restarted in the middle"
	# this boot had decided before what it starts
	while read -r unit; do systemctl --no-block start "$unit" || :; done <"$trial/active"
	end_trial
	;;
saved)
	locked
	if [ -d "$trial" ]; then
		echo "a change is on trial; it is taken back by itself, or now by: $0 back" >&2
		exit 1
	elif [ ! -f "$home/saved/old.tar" ] || [ ! -f "$home/saved/enabled" ]; then
		echo "nothing is saved in $home/saved; what is there is left alone" >&2
		exit 1
	fi
	restore_files "$home/saved"
	say "taken back $(date -Is): by hand, to what was before the last change"
	cat "$home/last"
	;;
*)
	echo "usage: $0 begin SECONDS | apply | verdict | confirm | back WHY | boot | saved" >&2
	exit 2
	;;
esac
