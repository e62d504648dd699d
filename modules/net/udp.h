/* udp.h - datagram sockets: net.udp([address] [, options]).
 *
 * Datagrams that nobody has asked for stay in the system's buffer, which drops
 * those that do not fit: so memory is bounded. The socket is polled only while a
 * task waits to receive, or to send what did not fit; only then does it keep the
 * program alive. A datagram that was read for a task that went away meanwhile is
 * held for the next one. */
#ifndef NET_UDP_H
#define NET_UDP_H

#include <uv.h>

#include "host/address.h"
#include "host/handle.h"
#include "modules/net/question.h"
#include "modules/net/udp_socket.h"

struct task;
struct udp;

struct datagram {
  char *bytes;  /* NULL: none; or there is an error */
  ssize_t size; /* or the error, below 0 */
  union udp_name from;
};

struct errand {        /* a send or connect that waits */
  struct task *waiter; /* first member, see udp_send.c: interrupt */
  struct udp *udp;
  struct errand *next;
  struct inquiry inquiry;
  const char *data; /* on the stack of the waiter */
  size_t size;
  union udp_name name;
  int port;
  bool has_name, connects;
  bool queued; /* for room in the socket */
  bool done;   /* its memory is free once the waiter has gone on */
};

struct udp {
  struct handle handle;
  uv_poll_t poll;
  int fd;
  int family;
  int watched; /* the events of uv_poll_start, 0: it is stopped */

  struct task *receiver; /* the task that waits, or NULL */
  bool receiving;        /* and has not been woken */
  bool patient;          /* it goes over errors that end nothing: messages() */
  struct datagram held;
  struct datagram lent; /* for this very call: see udp_receive.c */
  union udp_name known; /* whose text is VALUE_FROM */

  struct errand *errands, **last_errand; /* first come, first served */
  size_t errand_count, sweep_at;         /* see udp_send.c: sweep */
  size_t queued;                         /* bytes of those that wait for room */

  struct udp *before; /* whose socket it has taken over, until the commit */
  bool has_heir;
  char asked[ADDRESS_TEXT];
};

enum { UDP_VALUE_FROM = 1, UDP_VALUES = UDP_VALUE_FROM };

/* udp.c */
int net_udp(lua_State *L);
void udp_open_class(lua_State *L);
struct udp *udp_check(lua_State *L); /* argument 1, not closed */
struct udp *udp_check_any(lua_State *L);
void udp_watch(struct udp *udp); /* for what is waited for now */
/* nil, "receive 127.0.0.1:5000: connection refused", "ECONNREFUSED" */
int udp_error(lua_State *L, const struct udp *udp, int status,
              const char *what);

/* udp_receive.c */
void udp_take(struct udp *udp); /* something has come */
void udp_hand_over(struct udp *from, struct udp *to);
void udp_drop_held(struct udp *udp);
int udp_receive(lua_State *L);
int udp_messages(lua_State *L);

/* udp_send.c */
void udp_send_queued(struct udp *udp); /* there is room */
void udp_end_errands(struct udp *udp); /* it is closed */
void udp_free_errands(struct udp *udp);
int udp_send(lua_State *L);
int udp_connect(lua_State *L);
int udp_disconnect(lua_State *L);

/* udp_options.c: for a list of methods */
int udp_broadcast(lua_State *L);
int udp_ttl(lua_State *L);
int udp_multicast_ttl(lua_State *L);
int udp_multicast_loop(lua_State *L);
int udp_multicast_interface(lua_State *L);
int udp_join(lua_State *L);
int udp_leave(lua_State *L);

#endif
