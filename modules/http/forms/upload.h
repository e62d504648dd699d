/* upload.h - the bytes of an uploaded file: in a file without a name, which is
 * gone when its request is over, however that ends.
 *
 * The functions are for the Lua beside it; each that waits does so in the thread pool.
 * A request has a list of its uploads, and closes them; a thread that is at one
 * then closes it when it has let go. */
#ifndef HTTP_FORMS_UPLOAD_H
#define HTTP_FORMS_UPLOAD_H

#include <lauxlib.h>

struct upload;

/* upload(request, directory) -> upload
 * append(upload, data) -> true
 * read(upload, offset, count) -> string, or nothing behind its end
 * save(upload, path, overwrite) -> true
 * drop(upload) */
extern const luaL_Reg upload_functions[];
void upload_open_class(lua_State *L);

void uploads_end(struct upload *first); /* the request is over */

#endif
