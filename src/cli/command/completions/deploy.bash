# Completion of deploy in bash: eval "$(deploy completions bash)"

_deploy() {
    # The words up to the cursor, without their quotes. `kept` counts what readline leaves of the last one as it is:
    # what stands before a `:`, a `=` or a quote.
    local line=${COMP_LINE:0:COMP_POINT} words=() word= begun= quote= kept=0 char i
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1}
        if [[ $quote ]]; then
            if [[ $char == "$quote" ]]; then
                quote= kept=${#word}
            elif [[ $quote == \" && $char == \\ && ${line:i+1:1} == [\"\\\$\`] ]]; then
                word+=${line:i+1:1}
                ((i++))
            else
                word+=$char
            fi
        elif [[ $char == [[:blank:]] ]]; then
            [[ $begun ]] && words+=("$word")
            word= begun= kept=0
        else
            begun=yes
            case $char in
            \\)
                word+=${line:i+1:1}
                ((i++))
                ;;
            \" | \') quote=$char kept=${#word} ;;
            *)
                word+=$char
                [[ $COMP_WORDBREAKS == *"$char"* ]] && kept=${#word}
                ;;
            esac
        fi
    done

    local candidate about prefix candidates=() abouts=() width=0
    COMPREPLY=()
    while IFS= read -r line; do
        candidate=${line%%$'\t'*} about=${line#*$'\t'}
        if [[ ! $candidate ]]; then
            prefix=${about#*$'\t'} about=${about%%$'\t'*}
            compopt -o filenames 2>/dev/null
            while IFS= read -r candidate; do
                candidate=$prefix$candidate
                COMPREPLY+=("${candidate:kept}")
            done < <(compgen -A "$about" -- "${word:${#prefix}}")
            return
        fi
        [[ $candidate == "$word"* ]] || continue
        candidate=${candidate:kept}
        if [[ ! $quote ]]; then
            printf -v candidate %q "$candidate"
        fi
        candidates+=("$candidate")
        abouts+=("$about")
        ((${#candidate} > width)) && width=${#candidate}
    done < <(command deploy :complete "${words[@]:1}" "$word" 2>/dev/null)

    for i in "${!candidates[@]}"; do
        candidate=${candidates[i]}
        # When only a list is asked for, it says what each is.
        if [[ $COMP_TYPE == 63 && ${#candidates[@]} -gt 1 && ${abouts[i]} ]]; then
            printf -v candidate '%-*s  (%s)' "$width" "$candidate" "${abouts[i]}"
        fi
        COMPREPLY+=("$candidate")
    done
    if [[ ${#candidates[@]} == 1 && ${candidates[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _deploy deploy
