# Completion of registryctl and registryd, for bash. The programs' own --help is the only source: it is asked as one types.

_iot_registry_words() { # SUBCOMMANDS|OPTIONS COMMAND...: the first words of that part of its help
  local part=$1
  shift
  "$@" --help 2>/dev/null | awk -v part="$part" '
    /^[A-Za-z].*:$/ { here = $0; next }
    part == "subcommands" && here == "Subcommands:" && /^  [a-z]/ { print $1 }
    part == "options" && here != "Subcommands:" && /^  -/ { n = split($1, names, ","); for (i = 1; i <= n; ++i) print names[i] }'
}

_iot_registry() {
  local current=${COMP_WORDS[COMP_CWORD]} word words
  local command=("${COMP_WORDS[0]}")
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if _iot_registry_words subcommands "${command[@]}" | grep -qxF -e "$word"; then command+=("$word"); fi
  done
  if [[ $current == -* ]]; then
    words=$(_iot_registry_words options "${command[@]}")
  else
    words=$(_iot_registry_words subcommands "${command[@]}")
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o default -F _iot_registry registryctl registryd
