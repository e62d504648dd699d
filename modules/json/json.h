/* json.h - what the parts of `neap.json` share: values that only this module
 * makes, and what writes and reads text. */
#ifndef MODULES_JSON_JSON_H
#define MODULES_JSON_JSON_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Upvalues of encode and decode: the same two objects in all realms. */
enum { JSON_NULL_UPVALUE = 1, JSON_ARRAY_UPVALUE = 2, JSON_UPVALUES = 2 };

/* How deep values may lie in each other, by default and at most: no deeper than
 * the C stack is sure to bear. */
enum { JSON_DEPTH = 512, JSON_DEPTH_MOST = 2048 };

int json_encode(lua_State *L);
int json_decode(lua_State *L);

/* Raises for an argument at 2 that is neither a table of these options nor
 * absent; `names` ends with NULL. Then the stack has two elements. */
void json_check_options(lua_State *L, const char *const names[]);

/* The shortest text that reads back as this very number, of the same kind. It
 * does not end with a zero byte; returns its size. A float is finite. */
enum { JSON_NUMBER_MOST = 40 };
size_t json_write_integer(char *to, lua_Integer value);
size_t json_write_float(char *to, lua_Number value);

/* One character of UTF-8, strictly: its size, or 0 where there is none. */
unsigned json_read_utf8(const char *text, size_t left, uint32_t *code);

#endif
