/* address.c - reads and writes the addresses of sockets. */
#include "host/address.h"

#include <stddef.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int copy(char *to, size_t size, const char *from, size_t length) {
  if (length >= size) return UV_ENAMETOOLONG;
  memcpy(to, from, length);
  to[length] = '\0';
  return 0;
}

static bool is_port(const char *text) {
  size_t length = strlen(text);
  return length > 0 && length <= 5 && strspn(text, "0123456789") == length &&
         atol(text) <= 65535;
}

int address_parse(const char *text, struct address *address) {
  memset(address, 0, sizeof *address);
  if (strncmp(text, "unix:", 5) == 0) {
    struct sockaddr_un un;
    address->is_unix = true;
    if (text[5] == '\0') return UV_EINVAL;
    return copy(address->host, sizeof un.sun_path, text + 5, strlen(text + 5));
  }
  const char *colon = strrchr(text, ':');
  if (colon == NULL || !is_port(colon + 1)) return UV_EINVAL;
  strcpy(address->port, colon + 1);
  if (text[0] == '[') {
    if (colon[-1] != ']') return UV_EINVAL;
    return copy(address->host, sizeof address->host, text + 1,
                (size_t)(colon - text) - 2);
  }
  if (memchr(text, ':', (size_t)(colon - text)) != NULL) return UV_EINVAL;
  return copy(address->host, sizeof address->host, text,
              (size_t)(colon - text));
}

void address_check(lua_State *L, int index, struct address *address) {
  if (address_parse(luaL_checkstring(L, index), address) < 0)
    luaL_argerror(L, index,
                  "an address is \"host:port\", \":port\", "
                  "\"[v6]:port\" or \"unix:/path\"");
}

int address_port(const struct address *address) {
  return atoi(address->port);
}

int address_resolve(const struct address *address, bool any,
                    struct sockaddr_storage *result) {
  const char *host = address->host;
  int port = address_port(address);
  if (host[0] == '\0') host = any ? "::" : "127.0.0.1";
  if (any && strcmp(host, "localhost") == 0) host = "127.0.0.1";
  if (uv_ip4_addr(host, port, (struct sockaddr_in *)result) == 0) return 0;
  if (uv_ip6_addr(host, port, (struct sockaddr_in6 *)result) == 0) return 0;
  return UV_EAI_NONAME;
}

socklen_t address_unix(const char *path, struct sockaddr_un *name) {
  memset(name, 0, sizeof *name);
  name->sun_family = AF_UNIX;
  strcpy(name->sun_path, path);
  if (path[0] == '@') { /* Linux: a name that is not in the file system */
    name->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  }
  return sizeof *name;
}

static void format_unix(const struct sockaddr_un *un, char text[ADDRESS_TEXT]) {
  if (un->sun_path[0] == '\0' && un->sun_path[1] != '\0')
    snprintf(text, ADDRESS_TEXT, "unix:@%s", un->sun_path + 1);
  else
    snprintf(text, ADDRESS_TEXT, "unix:%s", un->sun_path);
}

/* An address of one link means nothing without the interface. */
static void add_zone(const struct sockaddr_in6 *v6, char text[ADDRESS_TEXT]) {
  char zone[UV_IF_NAMESIZE];
  size_t size = sizeof zone, length = strlen(text);
  if (v6->sin6_scope_id == 0 ||
      uv_if_indextoiid(v6->sin6_scope_id, zone, &size) < 0)
    return;
  snprintf(text + length, ADDRESS_TEXT - length, "%%%s", zone);
}

bool address_format_host(const struct sockaddr *address,
                         char text[ADDRESS_TEXT]) {
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
  switch (address->sa_family) {
    case AF_INET:
      return uv_ip4_name((const struct sockaddr_in *)address, text,
                         ADDRESS_TEXT) == 0;
    case AF_INET6:
      if (uv_ip6_name(v6, text, ADDRESS_TEXT) < 0) return false;
      add_zone(v6, text);
      return true;
    default: return false;
  }
}

void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT]) {
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
  char host[ADDRESS_TEXT]; /* far shorter */
  if (!address_format_host(address, host))
    format_unix((const struct sockaddr_un *)address, text);
  else if (address->sa_family == AF_INET)
    snprintf(text, ADDRESS_TEXT, "%.64s:%u", host, ntohs(v4->sin_port));
  else
    snprintf(text, ADDRESS_TEXT, "[%.96s]:%u", host, ntohs(v6->sin6_port));
}
