# What runs on a host for one step: POSIX sh alone. It is sent as one line between single quotes, whatever shell the
# user logs in with: so no single quotes, no `!`, and each line ends where a `;` may stand, or after `do`, `then`, `{`, `in`.
# First comes a mark that no one else knows, then the pieces of the step, each a line with its number of lines and then
# these; `go` ends them. What follows are words: a signal for the step, or BYE. The end of stdin is the connection's.
# On stderr go, behind the mark: `begun`, `folder` (there is none), `ended CODE`, and `left` for who runs on.
IFS= read -r __mark || exit 255
__line=$(printf "\nx"); __line=${__line%x}
__take() { __text=; __at=0; while [ "$__at" -lt "$1" ]; do IFS= read -r __next || exit 255; [ "$__at" = 0 ] || __text=$__text$__line; __text=$__text$__next; __at=$((__at+1)); done; }
__file=; __alone=$(command -v setsid) || __alone=
while read -r __what __name __count; do case $__what in
env) __take "$__count"; export "$__name=$__text" ;;
word) __take "$__count"; set -- "$@" "$__text" ;;
file) __take "$__count"; umask 077; __file=$(mktemp) || exit 255; printf %s "$__text" >"$__file"; set -- "$@" "$__file" ;;
dir) __take "$__count"; cd "$__text" 2>/dev/null || { echo "$__mark folder" >&2; exit 255; } ;;
go) __grace=$__name; break ;;
esac; done
[ "$__grace" ] || exit 255
echo "$__mark begun" >&2
exec 3>&1 5<&0
{ $__alone sh -c "echo \$\$ >&4; exec 4>&-; exec \"\$@\"" sh "$@" 4>&1 >&3 2>&6 3>&- 5<&- 6>&- </dev/null; echo $? >&4; } 4>&1 6>&2 2>/dev/null | { read -r __step
__tell() { kill "-$1" "-$__step" 2>/dev/null || kill "-$1" "$__step" 2>/dev/null; }
{ trap "" HUP TERM
while read -r __word; do case $__word in BYE) exit ;; *) __tell "$__word" ;; esac; done
__tell TERM; __at=0
while [ "$__at" -lt "$__grace" ] && kill -0 "-$__step" 2>/dev/null; do sleep 1; __at=$((__at+1)); done
__tell KILL; } <&5 >/dev/null 2>&1 3>&- & __watch=$!
read -r __code || __code=255
[ -z "$__file" ] || rm -f "$__file"
__left=; kill -0 "-$__step" 2>/dev/null && __left=left
echo "$__mark ended $__code $__left" >&2
while [ "$__left" ] && kill -0 "-$__step" 2>/dev/null && kill -0 "$__watch" 2>/dev/null; do sleep 1; done
kill -9 "$__watch" 2>/dev/null; exit 0; }
