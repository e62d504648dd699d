/* content.h - what is sent of a file: a body, userdata with chunks(). All of it is
 * in memory, or it is read from its descriptor while it is sent. */
#ifndef HTTP_FILES_CONTENT_H
#define HTTP_FILES_CONTENT_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct host;

struct descriptor { /* a descriptor; on the loop, but for the number itself */
  int fd;
  int users; /* the content, and each job that is at it */
};

struct content {
  struct descriptor *descriptor; /* NULL: it is in memory, or closed */
  char *text;          /* see opening.h; NULL: it is not in memory, or closed */
  uint64_t size;       /* of the file */
  uint64_t first, end; /* what is to be sent of it */
  bool is_taken;       /* by an answer that sends it: no other one may */
};

/* Pushes a closed one. */
struct content *content_push(lua_State *L);
/* Now it owns the descriptor, or the text where there is one. False without
 * memory: then it does not. */
bool content_fill(struct content *content, int fd, char *text, uint64_t size);
/* To be sent; NULL: it is none. Raises for one that is closed, or taken. */
struct content *content_at(lua_State *L, int index);
void content_close(struct host *host, struct content *content);

void descriptor_leave(struct host *host, struct descriptor *descriptor);

void content_open_class(lua_State *L);

#endif
