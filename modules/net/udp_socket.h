/* udp_socket.h - datagram sockets as plain descriptors: no Lua, no handle.
 *
 * A socket of IPv6 carries IPv4 too, unless it is to be of IPv6 only: such
 * addresses are mapped on their way in, and shown as what they are. All functions
 * return one of libuv's errors below 0. */
#ifndef NET_UDP_SOCKET_H
#define NET_UDP_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

union udp_name {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

struct address;

enum { UDP_DATAGRAM_MOST = 65536 }; /* more than any datagram has */

struct udp_options {
  bool reuse_address, reuse_port, ipv6_only;
  int receive_buffer, send_buffer; /* bytes, 0: the system's */
};

/* Not bound, of both families; or bound. */
int udp_open(const struct udp_options *options);
int udp_bind(const struct address *address, const struct udp_options *options);
int udp_family(int fd);
/* A number at a port. False: it has to be looked up. */
bool udp_resolve(const struct address *address, union udp_name *name);
/* As a socket of that family takes it. False: it cannot. */
bool udp_map(int family, union udp_name *name);
void udp_unmap(union udp_name *name); /* IPv4 in IPv6 is IPv4 */

/* 0, or UV_EAGAIN where it would wait. `name` NULL: to the peer. */
int udp_send_now(int fd, const char *data, size_t size,
                 const union udp_name *name);
/* The size, or UV_EAGAIN where there is none, UV_EMSGSIZE for what was cut. */
ssize_t udp_receive_now(int fd, char *buffer, union udp_name *from);
int udp_connect_now(int fd, const union udp_name *name); /* NULL: no longer */

int udp_set_broadcast(int fd, bool on);
int udp_set_ttl(int fd, int ttl);
int udp_set_multicast_ttl(int fd, int ttl);
int udp_set_multicast_loop(int fd, bool on);
/* Interfaces are numbers, 0: the system chooses. `source` may be NULL. */
int udp_set_multicast_interface(int fd, unsigned index);
int udp_set_member(int fd, bool joins, const union udp_name *group,
                   unsigned index, const union udp_name *source);
/* "eth0", or one of its addresses. */
int udp_find_interface(const char *text, unsigned *index);

#endif
