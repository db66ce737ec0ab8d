# A manual page for every program and subcommand, and what bash completes.
for name in registryd registryctl registry-lab $(registryctl --help |
  awk '/^Subcommands:/ { on = 1; next } on && /^  [a-z]/ { print "registryctl-" $1 }'); do
  zcat "/usr/share/man/man8/$name.8.gz" | grep -q "^.TH ${name^^} \"8\"" || echo "no page: $name"
done
for name in mno-sim asp-sim device-sim card-tls; do
  zcat "/usr/share/man/man1/$name.1.gz" | grep -q "^.TH ${name^^} \"1\"" || echo "no page: $name"
done
. /usr/share/bash-completion/completions/registryctl
completed() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _iot_registry
  echo "$*: ${COMPREPLY[*]}"
}
completed registryctl part
completed registryctl party lis
completed registryctl party list --js
