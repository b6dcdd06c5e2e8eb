# Completion of deploy in fish: deploy completions fish > ~/.config/fish/completions/deploy.fish

function __deploy_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token --cut-at-cursor)
    for line in (command deploy :complete $words[2..] "$word" 2>/dev/null)
        set -l parts (string split \t -- $line)
        if test -n "$parts[1]"
            echo $line
            continue
        end
        # What stands before the path stays.
        set -l prefix "$parts[3]"
        set -l path (string sub --start (math (string length -- "$prefix") + 1) -- "$word")
        if test "$parts[2]" = directory
            set -l found (__fish_complete_directories "$path" "")
            string replace --regex '^' -- "$prefix" $found
        else
            set -l found (__fish_complete_path "$path")
            string replace --regex '^' -- "$prefix" $found
        end
    end
end

complete --command deploy --no-files --keep-order --arguments '(__deploy_complete)'
