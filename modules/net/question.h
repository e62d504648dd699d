/* question.h - what the system's resolver is asked, each thing once at a time.
 *
 * libuv's thread pool asks it, in the half of the threads that may be slow. Who
 * asks what is being asked already waits for the same answer. A thread in the
 * resolver cannot be called back: when nobody waits any more its request is
 * forsaken, and the program need not wait for it to end (host.h). It still
 * answers whoever asks the same meanwhile, so that a name that is tried again and
 * again takes no second thread. */
#ifndef NET_QUESTION_H
#define NET_QUESTION_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct question;

struct inquiry { /* who waits for an answer: memory of whoever asks */
  struct question *question; /* NULL: it is not asking */
  struct inquiry *next, **link;
  bool answered;
  /* In C only. Ask what the answer is before inquiry_leave. */
  void (*on_answer)(struct inquiry *inquiry, int status);
};

enum question_kind {
  QUESTION_NAME,    /* its addresses, family AF_UNSPEC, AF_INET or AF_INET6 */
  QUESTION_USABLE,  /* the same, but only those that this machine can reach */
  QUESTION_REVERSE, /* the name of an address: that is text, see below */
};

enum { QUESTION_TEXT = 256 };

/* 0: on_answer will be called, later, unless inquiry_leave comes first. Never
 * raises. `L` says which host. */
int question_ask(lua_State *L, struct inquiry *inquiry, enum question_kind kind,
                 const char *text, int family);
/* The answer to QUESTION_REVERSE, or to the others. */
const char *inquiry_name(const struct inquiry *inquiry);
const struct addrinfo *inquiry_addresses(const struct inquiry *inquiry);
/* Idempotent. The answer is gone with it. */
void inquiry_leave(struct inquiry *inquiry);
/* An address in numbers, without a port: "127.0.0.1", "fe80::1%eth0". */
bool question_numeric(const char *text, int family,
                      struct sockaddr_storage *result);

/* Once for each host, before anything is asked. */
void question_open(lua_State *L);

#endif
