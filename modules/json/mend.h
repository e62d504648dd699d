/* mend.h - what jansson refuses and RFC 8259 allows, written so that it does. */
#ifndef MODULES_JSON_MEND_H
#define MODULES_JSON_MEND_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct mended { /* all zero: nothing is mended */
  char *text;   /* malloc's */
  size_t size;
  char zero[4]; /* stands for "\u0000"; "": nothing does */
};

/* The text is a Lua string, any one. False without memory. */
bool mend(struct mended *mended, const char *text, size_t size);
/* Where in the text lies what is there in the mended one. */
size_t mend_origin(const char *text, size_t size, size_t position);
/* A string of the mended text, as it was meant. */
void mend_push(lua_State *L, const struct mended *mended, const char *string,
               size_t size);
/* Of a text that is JSON: where its first bracket lies that is too deep. */
size_t mend_depth(const char *text, size_t size, int most);

#endif
