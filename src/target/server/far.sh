# What is done in a server's folder on a host: POSIX sh alone, and git where it is there. `sh far.sh ACTION PATH …`.
# Each action can be begun again after it was killed anywhere. 3: something is in the way, which is said on stdout.
set -eu
action=$1 path=$2
shift 2
case $path in /*) ;; *) path=./$path ;; esac
refuse() { echo "$*"; exit 3; }
record() { # N JSON
    printf '%s' "$2" >"$path/.releases/.$1.new"
    mv -f "$path/.releases/.$1.new" "$path/.releases/$1"
}
case $action in
look) # current TARGET, blocked (it is no link), git, records: each a line
    if [ -L "$path/current" ]; then
        echo "current $(readlink "$path/current")"
    elif [ -e "$path/current" ]; then
        echo blocked
    fi
    ! command -v git >/dev/null || echo git
    for file in "$path/.releases"/*; do
        case ${file##*/} in *[!0-9]*) continue ;; esac
        [ -f "$file" ] || continue
        echo "record ${file##*/} $(cat "$file")"
    done
    ;;
begin) # N JSON: an empty folder for a release, known to be half made; and what it is sent to
    mkdir -p "$path/releases" "$path/.releases"
    rm -f "$path"/.current.*
    if [ -e "$path/releases/$1" ] || [ -L "$path/releases/$1" ]; then refuse taken; fi
    record "$1" "$2"
    mkdir "$path/releases/$1"
    git=$path/.repository.git
    if command -v git >/dev/null && ! [ -e "$git/complete" ]; then
        # Files come out of it as they are in the commit, whatever the commit says of line ends.
        rm -rf "$git"
        git init --quiet --bare "$git"
        mkdir -p "$git/info"
        echo '* -text -eol -crlf -filter -ident -working-tree-encoding' >"$git/info/attributes"
        : >"$git/complete"
    fi
    ;;
files) # N COMMIT
    cd "$path"
    here=$(pwd)
    export GIT_DIR="$here/.repository.git" GIT_WORK_TREE="$here/releases/$1"
    export GIT_INDEX_FILE="$GIT_DIR/index.$1" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
    rm -f "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
    git read-tree "$2"
    git checkout-index --all --force --quiet
    rm -f "$GIT_INDEX_FILE"
    ;;
shared) # N NAME…: links to what all releases have in common, which is never written over
    number=$1
    shift
    for name; do
        above=$name
        while case $above in */*) ;; *) false ;; esac; do
            above=${above%/*}
            if [ -L "$path/releases/$number/$above" ]; then refuse "outside $above"; fi
        done
        common=$path/shared/$name own=$path/releases/$number/$name
        mkdir -p "$(dirname "$common")" "$(dirname "$own")"
        if ! [ -e "$common" ] && ! [ -L "$common" ]; then
            if [ -e "$own" ] && ! [ -L "$own" ]; then mv "$own" "$common"; else mkdir "$common"; fi
        fi
        rm -rf "$own"
        up=../.. rest=$name
        while case $rest in */*) ;; *) false ;; esac; do up=$up/.. rest=${rest#*/}; done
        ln -s "$up/shared/$name" "$own"
    done
    ;;
finish) # N JSON: from here on the release counts
    sync -f "$path/releases/$1" 2>/dev/null || sync
    record "$1" "$2"
    ;;
switch) # N: by one rename; there is no moment without `current`
    if [ -e "$path/current" ] && ! [ -L "$path/current" ]; then refuse blocked; fi
    ln -s "releases/$1" "$path/.current.$$"
    # GNU and busybox say -T, BSD says -h: the link itself is meant, not what it leads to.
    if ! said=$(mv -fT "$path/.current.$$" "$path/current" 2>&1); then
        case $said in
        *ption*) mv -fh "$path/.current.$$" "$path/current" ;;
        *) echo "$said" >&2; exit 1 ;;
        esac
    fi
    ;;
unlink) # before the first release there was none
    if [ -L "$path/current" ]; then rm -f "$path/current"; fi
    ;;
remove) # N JSON: it no longer counts, then it is gone
    record "$1" "$2"
    rm -rf "$path/releases/$1"
    rm -f "$path/.releases/$1"
    ;;
esac
