-- What a file is, by the end of its name. Text is UTF-8 here: who has another one says so in `types`.
local lower, match = string.lower, string.match

local OTHERWISE = "application/octet-stream"

local types = {
  ["7z"] = "application/x-7z-compressed", aac = "audio/aac", apng = "image/apng", atom = "application/atom+xml",
  avi = "video/x-msvideo", avif = "image/avif", bin = OTHERWISE, bmp = "image/bmp", bz2 = "application/x-bzip2",
  cjs = "text/javascript; charset=utf-8", css = "text/css; charset=utf-8", csv = "text/csv; charset=utf-8",
  doc = "application/msword", docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  eot = "application/vnd.ms-fontobject", epub = "application/epub+zip", flac = "audio/flac",
  geojson = "application/geo+json", gif = "image/gif", glb = "model/gltf-binary", gltf = "model/gltf+json",
  gz = "application/gzip", heic = "image/heic", htm = "text/html; charset=utf-8", html = "text/html; charset=utf-8",
  ico = "image/vnd.microsoft.icon", ics = "text/calendar; charset=utf-8", jar = "application/java-archive",
  jpeg = "image/jpeg", jpg = "image/jpeg", js = "text/javascript; charset=utf-8", json = "application/json",
  jsonld = "application/ld+json", jxl = "image/jxl", log = "text/plain; charset=utf-8",
  lua = "text/plain; charset=utf-8", m3u8 = "application/vnd.apple.mpegurl", m4a = "audio/mp4", m4v = "video/mp4",
  map = "application/json", md = "text/markdown; charset=utf-8", mjs = "text/javascript; charset=utf-8",
  mkv = "video/matroska", mov = "video/quicktime", mp3 = "audio/mpeg", mp4 = "video/mp4", mpd = "application/dash+xml",
  mpeg = "video/mpeg", mpg = "video/mpeg", odp = "application/vnd.oasis.opendocument.presentation",
  ods = "application/vnd.oasis.opendocument.spreadsheet", odt = "application/vnd.oasis.opendocument.text",
  oga = "audio/ogg", ogg = "audio/ogg", ogv = "video/ogg", opus = "audio/ogg", otf = "font/otf",
  pdf = "application/pdf", png = "image/png", ppt = "application/vnd.ms-powerpoint",
  pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation", rss = "application/rss+xml",
  rtf = "application/rtf", svg = "image/svg+xml", tar = "application/x-tar", tif = "image/tiff", tiff = "image/tiff",
  ts = "video/mp2t", tsv = "text/tab-separated-values; charset=utf-8", ttf = "font/ttf",
  txt = "text/plain; charset=utf-8", vcf = "text/vcard; charset=utf-8", vtt = "text/vtt; charset=utf-8",
  wasm = "application/wasm", wav = "audio/wav", weba = "audio/webm", webm = "video/webm",
  webmanifest = "application/manifest+json", webp = "image/webp", woff = "font/woff", woff2 = "font/woff2",
  xhtml = "application/xhtml+xml", xls = "application/vnd.ms-excel",
  xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xml = "application/xml",
  xz = "application/x-xz", yaml = "application/yaml", yml = "application/yaml", zip = "application/zip",
  zst = "application/zstd",
}

-- The path of a file, and the types that a script has added, or nil.
local function type_of(path, own)
  local extension = match(path, "%.([^./]+)$")
  if not extension then return OTHERWISE end
  extension = lower(extension)
  return own and own[extension] or types[extension] or OTHERWISE
end

return { of = type_of }
