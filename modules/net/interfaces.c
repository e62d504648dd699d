/* interfaces.c - the addresses of this machine, one entry for each. Asking the
 * kernel for them does not wait. */
#include "modules/net/interfaces.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>
#include <uv.h>

#include "host/address.h"
#include "host/error.h"

static const char class_name[] = "neap.net.interfaces";

struct list { /* in a userdata: pushing strings may raise */
  uv_interface_address_t *first;
  int count;
};

static int collect(lua_State *L) {
  struct list *list = lua_touserdata(L, 1);
  if (list->first != NULL)
    uv_free_interface_addresses(list->first, list->count);
  list->first = NULL;
  return 0;
}

static void push_class(lua_State *L) {
  if (luaL_newmetatable(L, class_name)) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
  }
}

static void set_host(lua_State *L, const char *key, const void *name) {
  char text[ADDRESS_TEXT];
  if (!address_format_host(name, text)) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static int count_bits(const unsigned char *bytes, size_t size) {
  int count = 0;
  for (size_t i = 0; i < size; i++)
    for (unsigned bits = bytes[i]; bits != 0; bits >>= 1)
      count += (int)(bits & 1);
  return count;
}

static int prefix_of(const uv_interface_address_t *entry) {
  const struct sockaddr_in *v4 = &entry->netmask.netmask4;
  const struct sockaddr_in6 *v6 = &entry->netmask.netmask6;
  if (entry->address.address4.sin_family == AF_INET)
    return count_bits((const void *)&v4->sin_addr, sizeof v4->sin_addr);
  return count_bits((const void *)&v6->sin6_addr, sizeof v6->sin6_addr);
}

static void push_mac(lua_State *L, const char *mac) {
  const unsigned char *byte = (const unsigned char *)mac;
  char text[sizeof "00:00:00:00:00:00"];
  snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1],
           byte[2], byte[3], byte[4], byte[5]);
  lua_pushstring(L, text);
}

static void push_entry(lua_State *L, const uv_interface_address_t *entry) {
  bool is_v4 = entry->address.address4.sin_family == AF_INET;
  lua_createtable(L, 0, 7);
  lua_pushstring(L, entry->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, is_v4 ? "ipv4" : "ipv6");
  lua_setfield(L, -2, "family");
  set_host(L, "address", &entry->address);
  set_host(L, "netmask", &entry->netmask);
  lua_pushinteger(L, prefix_of(entry));
  lua_setfield(L, -2, "prefix");
  push_mac(L, entry->phys_addr);
  lua_setfield(L, -2, "mac");
  lua_pushboolean(L, entry->is_internal);
  lua_setfield(L, -2, "internal");
}

int net_interfaces(lua_State *L) {
  lua_settop(L, 0);
  struct list *list = lua_newuserdatauv(L, sizeof *list, 0);
  list->first = NULL;
  push_class(L);
  lua_setmetatable(L, -2);
  int status = uv_interface_addresses(&list->first, &list->count);
  if (status < 0) return error_result(L, status, "interfaces");
  lua_createtable(L, list->count, 0);
  for (int i = 0; i < list->count; i++) {
    push_entry(L, &list->first[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, collect);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  return 1;
}
