/* tree.h - jansson reads a text, also where memory runs out. */
#ifndef MODULES_JSON_TREE_H
#define MODULES_JSON_TREE_H

#include <lua.h>

struct json_t;
struct json_error_t;

/* Before anything is read. */
void tree_init(lua_State *L);

/* As json_loadb, but where there is no memory the error has no text. The tree is
 * to be freed before the state is. */
struct json_t *tree_load(const char *text, size_t size, size_t flags,
                         struct json_error_t *error);

#endif
