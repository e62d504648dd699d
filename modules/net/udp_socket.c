/* udp_socket.c - system calls about datagram sockets. */
#include "modules/net/udp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "host/address.h"

static int last_error(void) {
  return uv_translate_sys_error(errno);
}

static int set_number(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) == 0) return 0;
  return last_error();
}

/* ---- open and bind ------------------------------------------------------- */

static int close_with(int fd, int status) {
  close(fd);
  return status;
}

static int set_options(int fd, int family, const struct udp_options *options) {
  int status = 0;
  if (family == AF_INET6)
    status = set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
  if (status == 0 && options->reuse_address)
    status = set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1);
#ifndef __linux__ /* elsewhere it takes this one to share a group's port */
  if (status == 0 && options->reuse_address)
    status = set_number(fd, SOL_SOCKET, SO_REUSEPORT, 1);
#endif
  if (status == 0 && options->reuse_port)
    status = set_number(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (status == 0 && options->receive_buffer > 0)
    status = set_number(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
  if (status == 0 && options->send_buffer > 0)
    status = set_number(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
  return status;
}

static int open_socket(int family, const struct udp_options *options) {
  int fd = socket(family, SOCK_DGRAM, 0);
  if (fd < 0) return last_error();
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int status = set_options(fd, family, options);
  return status < 0 ? close_with(fd, status) : fd;
}

int udp_open(const struct udp_options *options) {
  int fd = open_socket(AF_INET6, options);
  if (fd == UV_EAFNOSUPPORT && !options->ipv6_only)
    fd = open_socket(AF_INET, options);
  return fd;
}

static socklen_t size_of(const union udp_name *name) {
  return name->any.sa_family == AF_INET ? sizeof name->v4 : sizeof name->v6;
}

static int bind_name(const union udp_name *name,
                     const struct udp_options *options) {
  int fd = open_socket(name->any.sa_family, options);
  if (fd < 0 || bind(fd, &name->any, size_of(name)) == 0) return fd;
  return close_with(fd, last_error());
}

/* All interfaces are those of IPv4 where there is no IPv6. */
int udp_bind(const struct address *address, const struct udp_options *options) {
  struct sockaddr_storage storage;
  union udp_name name;
  int status = address_resolve(address, true, &storage);
  if (status < 0) return status;
  memcpy(&name, &storage, sizeof name);
  int fd = bind_name(&name, options);
  if (address->host[0] != '\0' || options->ipv6_only ||
      (fd != UV_EAFNOSUPPORT && fd != UV_EADDRNOTAVAIL))
    return fd;
  uv_ip4_addr("0.0.0.0", address_port(address), &name.v4);
  return bind_name(&name, options);
}

/* ---- addresses ----------------------------------------------------------- */

int udp_family(int fd) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) return AF_INET;
  return name.ss_family;
}

bool udp_resolve(const struct address *address, union udp_name *name) {
  struct sockaddr_storage storage;
  memset(&storage, 0, sizeof storage);
  if (address_resolve(address, false, &storage) < 0) return false;
  memcpy(name, &storage, sizeof *name);
  return true;
}

static bool is_mapped(const union udp_name *name) {
  return name->any.sa_family == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(&name->v6.sin6_addr);
}

void udp_unmap(union udp_name *name) {
  if (!is_mapped(name)) return;
  struct sockaddr_in v4 = {.sin_family = AF_INET,
                           .sin_port = name->v6.sin6_port};
  memcpy(&v4.sin_addr, &name->v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  memset(name, 0, sizeof *name);
  name->v4 = v4;
}

bool udp_map(int family, union udp_name *name) {
  if (family == AF_INET) udp_unmap(name);
  if (name->any.sa_family == family) return true;
  if (family != AF_INET6) return false;
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                            .sin6_port = name->v4.sin_port};
  v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
  memcpy(&v6.sin6_addr.s6_addr[12], &name->v4.sin_addr,
         sizeof name->v4.sin_addr);
  name->v6 = v6;
  return true;
}

/* ---- send, receive, connect ---------------------------------------------- */

int udp_send_now(int fd, const char *data, size_t size,
                 const union udp_name *name) {
  ssize_t sent;
  do
    sent = sendto(fd, data, size, 0, name == NULL ? NULL : &name->any,
                  name == NULL ? 0 : size_of(name));
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return 0;
  return errno == EWOULDBLOCK ? UV_EAGAIN : last_error();
}

ssize_t udp_receive_now(int fd, char *buffer, union udp_name *from) {
  struct iovec part = {buffer, UDP_DATAGRAM_MOST};
  struct msghdr message = {.msg_name = from,
                           .msg_namelen = sizeof *from,
                           .msg_iov = &part,
                           .msg_iovlen = 1};
  ssize_t size;
  do size = recvmsg(fd, &message, 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return errno == EWOULDBLOCK ? UV_EAGAIN : last_error();
  udp_unmap(from);
  return message.msg_flags & MSG_TRUNC ? UV_EMSGSIZE : size;
}

int udp_connect_now(int fd, const union udp_name *name) {
  static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  int result = name == NULL ? connect(fd, &nobody, sizeof nobody)
                            : connect(fd, &name->any, size_of(name));
  if (result == 0) return 0;
  if (name == NULL && errno == EAFNOSUPPORT) return 0; /* the BSDs: it has */
  return last_error();
}

/* ---- options: a socket of IPv6 sends IPv4 by those of IPv4 --------------- */

int udp_set_broadcast(int fd, bool on) {
  return set_number(fd, SOL_SOCKET, SO_BROADCAST, on);
}

static int set_both(int fd, int v4_option, int v6_option, int value) {
  if (udp_family(fd) == AF_INET)
    return set_number(fd, IPPROTO_IP, v4_option, value);
  set_number(fd, IPPROTO_IP, v4_option, value); /* where the system lets us */
  return set_number(fd, IPPROTO_IPV6, v6_option, value);
}

int udp_set_ttl(int fd, int ttl) {
  return set_both(fd, IP_TTL, IPV6_UNICAST_HOPS, ttl);
}

int udp_set_multicast_ttl(int fd, int ttl) {
  return set_both(fd, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, ttl);
}

int udp_set_multicast_loop(int fd, bool on) {
  return set_both(fd, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on);
}

static int set_v4_interface(int fd, unsigned index) {
  struct ip_mreqn request;
  memset(&request, 0, sizeof request);
  request.imr_ifindex = (int)index;
  if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) < 0)
    return last_error();
  return 0;
}

int udp_set_multicast_interface(int fd, unsigned index) {
  int status = set_v4_interface(fd, index);
  if (udp_family(fd) == AF_INET) return status;
  return set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index);
}

/* RFC 3678: the same for both families, by the number of the interface. */
int udp_set_member(int fd, bool joins, const union udp_name *group,
                   unsigned index, const union udp_name *source) {
  int level = group->any.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  struct group_req any;
  struct group_source_req one;
  int result;
  memset(&any, 0, sizeof any);
  memset(&one, 0, sizeof one);
  any.gr_interface = one.gsr_interface = index;
  memcpy(&any.gr_group, group, sizeof *group);
  memcpy(&one.gsr_group, group, sizeof *group);
  if (source != NULL) {
    memcpy(&one.gsr_source, source, sizeof *source);
    result = setsockopt(
      fd, level, joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
      &one, sizeof one);
  } else {
    result = setsockopt(fd, level, joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
                        &any, sizeof any);
  }
  return result < 0 ? last_error() : 0;
}

static bool is_at(const uv_interface_address_t *entry, const char *text) {
  char own[ADDRESS_TEXT];
  return address_format_host((const struct sockaddr *)&entry->address, own) &&
         strcmp(own, text) == 0;
}

int udp_find_interface(const char *text, unsigned *index) {
  uv_interface_address_t *entries;
  int count;
  *index = if_nametoindex(text);
  if (*index != 0) return 0;
  int status = uv_interface_addresses(&entries, &count);
  if (status < 0) return status;
  for (int i = 0; i < count && *index == 0; i++)
    if (is_at(&entries[i], text)) *index = if_nametoindex(entries[i].name);
  uv_free_interface_addresses(entries, count);
  return *index != 0 ? 0 : UV_ENODEV;
}
