# What is done with a web app's folder on its host: POSIX sh and git. `sh far.sh ACTION PATH …`. Beside the folder is a
# repository, PATH.deploy.git; its file `held` names the commits whose files may be in the folder, in whole or in part: one,
# unless something was ended in the middle. What is in the folder and in none of them is left alone.
set -eu
action=$1 path=$2
shift 2
case $path in /*) ;; *) path=./$path ;; esac
git=$path.deploy.git
case $action in
look) # none (there is no folder, or an empty one), foreign, or the commits that are held
    if [ -s "$git/held" ]; then
        cat "$git/held"
    elif [ -n "$(ls -A "$path" 2>/dev/null)" ]; then
        echo foreign
    fi
    ;;
repository)
    if ! [ -e "$git/complete" ]; then
        rm -rf "$git"
        mkdir -p "$(dirname "$path")"
        git init --quiet --bare "$git"
        mkdir -p "$git/info"
        echo '* -text -eol -crlf -filter -ident -working-tree-encoding' >"$git/info/attributes"
        : >"$git/complete"
    fi
    ;;
files) # COMMIT
    mkdir -p "$path"
    export GIT_DIR="$(cd "$git" && pwd)" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
    export GIT_INDEX_FILE="$GIT_DIR/index"
    cd "$path"
    export GIT_WORK_TREE="$PWD"
    echo "$1" >>"$GIT_DIR/held"
    for was in $(sort -u "$GIT_DIR/held"); do
        git diff-tree -r -z --name-only --no-renames --diff-filter=D "$was" "$1" | xargs -0 rm -f --
        git update-ref "refs/held/$was" "$was"
    done
    rm -f "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
    git read-tree "$1"
    git checkout-index --all --force --quiet
    echo "$1" >"$GIT_DIR/held.new"
    mv -f "$GIT_DIR/held.new" "$GIT_DIR/held"
    ;;
esac
