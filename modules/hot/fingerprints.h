/* fingerprints.h - what the files of a list hold, asked in the thread pool. */
#ifndef MODULES_HOT_FINGERPRINTS_H
#define MODULES_HOT_FINGERPRINTS_H

#include <lua.h>

/* fingerprints(paths [, callback]) -> a list: "size:hash" as fingerprint_format
 * writes it, or false where there is no readable regular file. */
int hot_fingerprints(lua_State *L);

#endif
