// A TLS server that lets in this ASP's active devices: example CLIENT.CONF SERVER.PEM SERVER.KEY HOST:PORT
// For each client it prints the device and the verdict. Built with: cc example.c $(pkg-config --cflags --libs registry-client)
#include <openssl/ssl.h>
#include <registry/client.h>
#include <stdio.h>

int main(int argc, char **argv) {
  char why[256] = "four arguments are wanted";
  registry_client *registry = argc == 5 ? registry_client_open_file(argv[1], why, sizeof why) : NULL;
  if (registry == NULL) return fprintf(stderr, "%s\n", why), 2;
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_chain_file(tls, argv[2]);
  SSL_CTX_use_PrivateKey_file(tls, argv[3], SSL_FILETYPE_PEM);
  if (registry_client_guard(registry, tls) != 0) return 1;
  BIO *door = BIO_new_accept(argv[4]);
  BIO_set_bind_mode(door, BIO_BIND_REUSEADDR);
  if (BIO_do_accept(door) != 1) return fprintf(stderr, "cannot listen on %s\n", argv[4]), 1;
  while (BIO_do_accept(door) == 1) {
    SSL *connection = SSL_new(tls);
    SSL_set0_rbio(connection, BIO_pop(door));
    BIO_up_ref(SSL_get_rbio(connection));
    SSL_set0_wbio(connection, SSL_get_rbio(connection));
    const int accepted = SSL_accept(connection) == 1;
    const char *device = registry_client_device_of(connection);
    printf("%s %s\n", device ? device : "-", registry_verdict_symbol(registry_client_verdict_of(connection)));
    fflush(stdout);
    if (accepted) SSL_write(connection, "welcome\n", 8);
    SSL_shutdown(connection);
    SSL_free(connection);
  }
}
