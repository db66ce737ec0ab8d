# What is left of both packages. The operator's data is nobody's to remove.
apt-get -qy purge iot-registry-lab iot-registry-bridge >/dev/null
find / -xdev \( -path /proc -o -path /tmp -o -path /dev \) -prune \
  -o -path /var/lib/iot-registry -prune -print -o -iname '*iot-registry*' -print -o -name 'registryd*' -print | sort
