/* question.c - the questions of a host that are under way, and who waits for
 * their answers. */
#include "modules/net/question.h"

#include <lauxlib.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "host/host.h"

struct questions { /* a userdata in the registry: one for the host */
  struct question *first;
};

struct question {
  struct question *next, **link; /* link NULL: nobody can join any more */
  struct host *host;
  union {
    uv_req_t any;
    uv_getaddrinfo_t name;
    uv_getnameinfo_t reverse;
  } uv;
  enum question_kind kind;
  int family;
  char text[QUESTION_TEXT];
  struct addrinfo *found;
  struct inquiry *first, **last; /* who waits, first come first served */
  int users;                     /* the request, each inquiry */
  bool forsaken;                 /* it is counted as such */
};

static const char questions_key = 0;

static struct questions *questions_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &questions_key);
  struct questions *questions = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return questions;
}

/* ---- its life ------------------------------------------------------------ */

static void leave(struct question *question) {
  if (--question->users > 0) return;
  uv_freeaddrinfo(question->found);
  free(question);
}

static void unlist(struct question *question) {
  if (question->link == NULL) return;
  *question->link = question->next;
  if (question->next != NULL) question->next->link = question->link;
  question->link = NULL;
}

static void forsake(struct question *question, bool forsaken) {
  if (question->forsaken == forsaken) return;
  question->forsaken = forsaken;
  if (forsaken)
    question->host->forsaken_requests++;
  else
    question->host->forsaken_requests--;
}

/* Nobody waits for the answer. */
static void give_up(struct question *question) {
  if (uv_cancel(&question->uv.any) == 0) unlist(question);
  forsake(question, true);
}

/* ---- the answer ---------------------------------------------------------- */

/* Which of these it is depends on the resolver: there is no such thing. */
static int stable(int status) {
  switch (status) {
    case UV_EAI_NODATA:
    case UV_EAI_ADDRFAMILY: return UV_EAI_NONAME;
    case UV_EAI_CANCELED: return UV_ECANCELED;
    default: return status;
  }
}

static void take_out(struct inquiry *inquiry) {
  struct question *question = inquiry->question;
  *inquiry->link = inquiry->next;
  if (inquiry->next != NULL)
    inquiry->next->link = inquiry->link;
  else
    question->last = inquiry->link;
}

static void answer(struct question *question, int status) {
  forsake(question, false);
  unlist(question);
  while (question->first != NULL) {
    struct inquiry *inquiry = question->first;
    take_out(inquiry);
    inquiry->answered = true;
    inquiry->on_answer(inquiry, stable(status));
  }
  leave(question);
}

static void on_addresses(uv_getaddrinfo_t *uv, int status,
                         struct addrinfo *found) {
  struct question *question = uv->data;
  question->found = found;
  if (status == 0 && found == NULL) status = UV_EAI_NONAME;
  answer(question, status);
}

static void on_name(uv_getnameinfo_t *uv, int status, const char *name,
                    const char *service) {
  (void)name, (void)service; /* they lie in the request */
  answer(uv->data, status);
}

const char *inquiry_name(const struct inquiry *inquiry) {
  return inquiry->question->uv.reverse.host;
}

const struct addrinfo *inquiry_addresses(const struct inquiry *inquiry) {
  return inquiry->question->found;
}

void inquiry_leave(struct inquiry *inquiry) {
  struct question *question = inquiry->question;
  if (question == NULL) return;
  if (!inquiry->answered) {
    take_out(inquiry);
    if (question->first == NULL) give_up(question);
  }
  inquiry->question = NULL;
  leave(question);
}

/* ---- to ask -------------------------------------------------------------- */

bool question_numeric(const char *text, int family,
                      struct sockaddr_storage *result) {
  if (family != AF_INET6 &&
      uv_ip4_addr(text, 0, (struct sockaddr_in *)result) == 0)
    return true;
  return family != AF_INET &&
         uv_ip6_addr(text, 0, (struct sockaddr_in6 *)result) == 0;
}

static int start_name(struct question *question) {
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = question->family;
  hints.ai_socktype = SOCK_STREAM; /* else each address comes three times */
  if (question->kind == QUESTION_USABLE) hints.ai_flags = AI_ADDRCONFIG;
  return uv_getaddrinfo(&question->host->loop, &question->uv.name, on_addresses,
                        question->text, NULL, &hints);
}

static int start_reverse(struct question *question) {
  struct sockaddr_storage name;
  if (!question_numeric(question->text, AF_UNSPEC, &name)) return UV_EINVAL;
  return uv_getnameinfo(&question->host->loop, &question->uv.reverse, on_name,
                        (const struct sockaddr *)&name, NI_NAMEREQD);
}

static int begin(struct questions *questions, struct question *question) {
  question->uv.any.data = question;
  question->last = &question->first;
  question->users = 1;
  int status = question->kind == QUESTION_REVERSE ? start_reverse(question)
                                                  : start_name(question);
  if (status < 0) {
    free(question);
    return status;
  }
  question->next = questions->first;
  question->link = &questions->first;
  if (question->next != NULL) question->next->link = &question->next;
  questions->first = question;
  return 0;
}

static struct question *find(const struct questions *questions,
                             enum question_kind kind, const char *text,
                             int family) {
  struct question *question = questions->first;
  while (question != NULL &&
         (question->kind != kind || question->family != family ||
          strcasecmp(question->text, text) != 0))
    question = question->next;
  return question;
}

static void join(struct question *question, struct inquiry *inquiry) {
  forsake(question, false);
  question->users++;
  inquiry->question = question;
  inquiry->answered = false;
  inquiry->next = NULL;
  inquiry->link = question->last;
  *question->last = inquiry;
  question->last = &inquiry->next;
}

int question_ask(lua_State *L, struct inquiry *inquiry, enum question_kind kind,
                 const char *text, int family) {
  struct questions *questions = questions_of(L);
  if (strlen(text) >= QUESTION_TEXT) return UV_ENAMETOOLONG;
  if (text[0] == '\0') return UV_EAI_NONAME;
  struct question *question = find(questions, kind, text, family);
  if (question == NULL) {
    question = calloc(1, sizeof *question);
    if (question == NULL) return UV_ENOMEM;
    question->host = host_of(L);
    question->kind = kind;
    question->family = family;
    strcpy(question->text, text);
    int status = begin(questions, question);
    if (status < 0) return status;
  }
  join(question, inquiry);
  return 0;
}

/* ---- the list ------------------------------------------------------------ */

/* The state is closed: those that are forsaken may go on for longer. */
static int forget_list(lua_State *L) {
  struct questions *questions = lua_touserdata(L, 1);
  while (questions->first != NULL) unlist(questions->first);
  return 0;
}

void question_open(lua_State *L) {
  if (questions_of(L) != NULL) return;
  struct questions *questions = lua_newuserdatauv(L, sizeof *questions, 0);
  questions->first = NULL;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, forget_list);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &questions_key);
}
