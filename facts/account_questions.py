"""The shell of :mod:`facts.accounts`: no password hash, token or private key in what it prints."""

from __future__ import annotations

# Members of these are root: by Debian's sudoers, by a daemon that does as it is told, or by the
# disk, the memory or the passwords that they may read.
GROUPS = ("sudo", "wheel", "admin", "root", "docker", "lxd", "incus-admin", "libvirt", "disk",
          "kmem", "shadow")  # fmt: skip

# What only root may read must not look empty. pyinfra reads strict UTF-8, and a name may be none.
_BEGIN = '[ "$(id -u)" = 0 ] || { echo not root >&2; exit 1; }\nset --\n'
_END = "printf '%s\\n' \"$said\" | LC_ALL=C tr -c '\\n\\t -~' '?'\n"

# The second field of passwd and group may be a hash: it stays.
_USERS = f"""users=$(getent passwd) && groups=$(getent group) && states=$(passwd -S -a) || exit 1
said=$(printf '%s\\n' "$users" | while IFS=: read -r name _ uid gid _ home shell; do
  printf 'user %s:%s:%s:%s:%s\\n' "$name" "$uid" "$gid" "$home" "$shell"
done
printf '%s\\n' "$groups" | while IFS=: read -r name _ gid members; do
  case $name in {"|".join(GROUPS)}) printf 'group %s:%s:%s\\n' "$name" "$gid" "$members" ;; esac
done
printf '%s\\n' "$states" | while read -r name state _; do
  printf 'state %s %s\\n' "$name" "$state"
done)
"""
# Of a line only what can be a key leaves the machine: a private key may have got in by mistake, and
# an option may set a token as an environment variable.
_LINES = r"""FNR == 1 { print "==> " FILENAME }
/^[ \t\r]*(#|$)/ { print "|"; next }
/(^|[ \t])[a-zA-Z0-9@.-]+[ \t]+AAAA/ { sub(/\r$/, "")
  gsub(/[eE][nN][vV][iI][rR][oO][nN][mM][eE][nN][tT]="(\\.|[^"\\])*"/, "environment=\"\"")
  print "| " $0; next }
{ print "| ?" }"""
_KEYS = f"""users=$(getent passwd) || exit 1
said=$(while IFS=: read -r name _ _ _ _ home _; do
  for f in "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys2"; do
    [ -f "$f" ] || continue
    printf 'of %s %s\\n' "$name" "$f"; set -- "$@" "$f"
  done
done <<END
$users
END
[ $# = 0 ] || {{ stat -Lc 'file %a %U %G %n' -- "$@" && LC_ALL=C awk '{_LINES}' "$@"; }}) || exit 1
"""
# sudo passes over names with a dot or a ~ at the end (sudoers(5), @includedir).
_SUDOERS = """for f in /etc/sudoers /etc/sudoers.d/*; do
  case $f in /etc/sudoers.d/*.* | *~) continue ;; esac
  [ ! -f "$f" ] || set -- "$@" "$f"
done
[ $# -gt 0 ] || exit 0
said=$(stat -Lc 'file %a %U %G %n' -- "$@" && sha256sum -- "$@" &&
  LC_ALL=C awk 'FNR == 1 { print "==> " FILENAME }
    !/^[ \\t]*#([^0-9i-]|$)/ { print "| " $0 }' "$@") || exit 1
"""

# For facts.questions, by name.
COMMANDS = {
    name: _BEGIN + text + _END
    for name, text in {"users": _USERS, "keys": _KEYS, "sudoers": _SUDOERS}.items()
}
