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

# Debian's Mosquitto with the files where they lie: as its own user at the start, and at SIGHUP.
chown mosquitto interface/broker.key
there=/usr/share/iot-registry/broker-config
sed -e "s|@ACL_FILE@|$there/acl.conf|; s|@GUARD_FILE@|/usr/lib/iot-registry/registry-subscribe-guard.so|" \
  -e "s|@GUARD_CRL_LINE@|plugin_opt_crl_file $PWD/interface/crl.pem|; s|@CRL_LINE@|crlfile $PWD/interface/crl.pem|" \
  -e "s|@PORT@|28883|; s|@ADDRESS@|127.0.0.1|; s|@CA_FILE@|$PWD/interface/ca.pem|; s|@USER@|mosquitto|" \
  -e "s|@CERTIFICATE_FILE@|$PWD/interface/broker.pem|; s|@KEY_FILE@|$PWD/interface/broker.key|" \
  -e "s|@STATE_DIR@|/var/lib/mosquitto|; s|@LOG_FILE@|/var/log/mosquitto/registry.log|" \
  $there/mosquitto.conf.in >/tmp/broker.conf
mosquitto -c /tmp/broker.conf &
broker=$!
lets_in() {
  openssl s_client -connect 127.0.0.1:28883 -CAfile interface/ca.pem -verify_return_error -cert interface/registryd.pem \
    -key interface/registryd.key </dev/null 2>&1 | grep -q 'Verify return code: 0'
}
for _ in {1..300}; do ! lets_in || break; sleep 0.1; done
kill -HUP $broker
sleep 0.3 # what it reads anew it says when it cannot
lets_in && echo "the broker lets the registry in"
kill $broker
wait $broker || true
cat /var/log/mosquitto/registry.log
