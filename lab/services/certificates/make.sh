#!/bin/sh
# An authority of our own and a certificate of the TLS edge, into the folder given, for so many days.
# Run in the lab's image, because not every machine has openssl.
set -e
cd "$1"
days=$2
if [ ! -s ca.crt ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Save-It.AI lab authority" \
    -keyout ca.key -out ca.crt 2> /dev/null
fi
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout tls.key.new -out tls.csr 2> /dev/null
printf 'subjectAltName=DNS:localhost,DNS:saveit.lab,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > tls.ext
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" \
  -extfile tls.ext -out tls.crt.new 2> /dev/null
cat ca.crt >> tls.crt.new
rm tls.csr tls.ext
chmod 600 ca.key tls.key.new
mv tls.key.new tls.key
mv tls.crt.new tls.crt
