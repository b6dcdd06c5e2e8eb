#compdef deploy
# Completion of deploy in zsh: eval "$(deploy completions zsh)" behind compinit, or as a file `_deploy` of $fpath.

_deploy() {
    local line candidate about prefix
    local -a full open
    while IFS= read -r line; do
        candidate=${line%%$'\t'*} about=${line#*$'\t'}
        if [[ -z $candidate ]]; then
            prefix=${about#*$'\t'} about=${about%%$'\t'*}
            # What stands before the path stays.
            [[ -n $prefix ]] && compset -P "${(b)prefix}"
            if [[ $about == directory ]]; then
                _files -/
            else
                _files
            fi
            return
        fi
        candidate=${${candidate//\\/\\\\}//:/\\:}
        [[ -n $about ]] && about=:$about
        if [[ $candidate == *= ]]; then
            open+=("$candidate$about")
        else
            full+=("$candidate$about")
        fi
    done < <(command deploy :complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    local ended=1
    (($#full)) && _describe -V 'deploy' full && ended=0
    (($#open)) && _describe -V 'deploy' open -S '' && ended=0
    return ended
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _deploy "$@"
else
    compdef _deploy deploy
fi
