# As README.md of packaging/ says it, to the end: a registry is set up, checked, started and stopped.
cd /
as() { runuser -u _iot-registry -- "$@"; }
as registryctl init --dir /var/lib/iot-registry --zone iot.test --broker-host localhost
cd /var/lib/iot-registry
status=0
as registryd --check-config --config registry.toml || status=$?
echo "without the resolver's certificate: $status"
as openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=resolver.iot.test \
  -addext subjectAltName=DNS:resolver.iot.test -keyout /dev/null -out interface/resolver.pem
as registryd --check-config --config registry.toml
as registryd --config registry.toml &
for _ in {1..300}; do [ ! -e run.json ] || break; sleep 0.1; done
cat run.json
kill "$(sed 's/.*"pid":\([0-9]*\).*/\1/' run.json)"
wait $!
echo "ended: $?"
