/* race.c - a name with two addresses: the first one never answers, and the next
 * is tried beside it. Of those who lose nothing is left.
 *
 * The resolver is ours, as in lookup.c. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "spec/c/machine.h"

enum { CLIENTS = 8 };

typedef int resolve(const char *name, const char *service,
                    const struct addrinfo *hints, struct addrinfo **found);

/* "two": the hole, then the server. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **found) {
  union {
    void *symbol;
    resolve *call;
  } system = {dlsym(RTLD_NEXT, "getaddrinfo")};
  if (strcmp(name, "two") != 0) return EAI_NONAME;
  int status = system.call("127.0.0.2", service, hints, found);
  if (status != 0) return status;
  return system.call("127.0.0.1", service, hints, &(*found)->ai_next);
}

/* ---- the hole: it listens, its queue is full, nobody accepts ------------- */

static int sockets[CLIENTS + 1];

static int open_hole(void) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  socklen_t size = sizeof name;
  name.sin_addr.s_addr = inet_addr("127.0.0.2");
  int fd = sockets[CLIENTS] = socket(AF_INET, SOCK_STREAM, 0);
  int status = bind(fd, (struct sockaddr *)&name, size);
  if (status != 0) exit(77); /* this system has only one loopback address */
  status = listen(fd, 0);
  if (status == 0) status = getsockname(fd, (struct sockaddr *)&name, &size);
  assert(status == 0);
  for (int i = 0; i < CLIENTS; i++) {
    sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(sockets[i], (struct sockaddr *)&name, size);
  }
  return ntohs(name.sin_port);
}

static const char text[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "local server <close> = assert(net.listen('127.0.0.1:' .. PORT,\n"
  "  function(conn) conn:write 'hello\\n' conn:read() end))\n"
  "for i = 1, 3 do\n"
  "  local conn <close> = assert(net.connect('two:' .. PORT))\n"
  "  assert(conn.peer == server.address, conn.peer)\n"
  "  assert(conn:read 'l' == 'hello')\n"
  "end\n"
  "local _, message, code = net.connect('two:' .. PORT, { timeout = 0.05 })\n"
  "assert(code == 'ETIMEDOUT', message)\n"
  "neap.go(net.connect, 'two:' .. PORT):cancel()\n"
  "server:close()\n"
  "local _, message, code = net.connect('two:' .. PORT, { timeout = 0.5 })\n"
  "assert(code == 'ETIMEDOUT', message)\n" /* the hole may still answer */
  "reached = true\n";

int main(void) {
  struct host *host = machine_open(30);
  lua_pushinteger(host->L, open_hole());
  lua_setglobal(host->L, "PORT");
  machine_start(host, &host->root->background, text);
  loop_run(host);
  lua_getglobal(host->L, "reached");
  assert(lua_toboolean(host->L, -1));
  lua_pop(host->L, 1);
  machine_close(host);
  for (int i = 0; i <= CLIENTS; i++) close(sockets[i]);
  return 0;
}
