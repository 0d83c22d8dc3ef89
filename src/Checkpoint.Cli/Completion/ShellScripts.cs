namespace Checkpoint.Cli;

/// <summary>The scripts with which shells complete: each asks the tool itself, by its directive <c>[suggest:position]</c>.</summary>
internal static class ShellScripts
{
    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["bash"] = """
            # Completion of checkpoint for bash: source <(checkpoint completion bash)
            _checkpoint_complete() {
                local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}" answer
                COMPREPLY=()
                while IFS= read -r answer; do
                    [[ -z $word && $answer == [-/]* ]] && continue
                    [[ $answer == "$word"* ]] && COMPREPLY+=("$(printf '%q' "$answer")")
                done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
                return 0
            }
            complete -o default -F _checkpoint_complete checkpoint

            """,
        ["zsh"] = """
            # Completion of checkpoint for zsh: source <(checkpoint completion zsh)
            _checkpoint_complete() {
                local -a answers
                answers=("${(@f)$("${words[1]}" "[suggest:${#${(pj: :)words[1,CURRENT]}}]" "${(j: :)words}" 2>/dev/null)}")
                answers=(${answers:#})
                [[ -z ${words[CURRENT]} ]] && answers=(${answers:#[-/]*})
                (( $#answers )) && compadd -- "${answers[@]}" || _files
            }
            compdef _checkpoint_complete checkpoint

            """,
        ["fish"] = """
            # Completion of checkpoint for fish: checkpoint completion fish | source
            function __checkpoint_complete
                set -l line (commandline -cp)
                set -l program (commandline -opc)[1]
                set -l word (commandline -ct)
                $program "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | begin
                    if test -z "$word"
                        string match -v -r '^[-/]'
                    else
                        cat
                    end
                end
            end
            complete -c checkpoint -a '(__checkpoint_complete)'

            """,
        ["pwsh"] = """
            # Completion of checkpoint for PowerShell: checkpoint completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName checkpoint -ScriptBlock {
                param($word, $ast, $position)
                & $ast.CommandElements[0].Value "[suggest:$position]" "$ast" 2>$null | Where-Object { $_ -like "$([wildcardpattern]::Escape($word))*" -and ($word -or $_ -notmatch '^[-/]') } | ForEach-Object {
                    $text = $_ -match '[\s''"`$(){};|&@#]' ? "'$($_ -replace "'", "''")'" : $_
                    [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
                }
            }

            """,
    };
}
