-- Refuses attachments whose name says that they are programs, as mail programs read that name.
--
-- clamd sees the names within archives, and of attachments those that are written plainly. Long names,
-- and most Vietnamese ones, come in pieces (RFC 2231 3, RFC 2047 2), or only in Content-Type; rspamd's own
-- reading of them gives the last piece. What is malformed is read as the most lenient program would.
local util = require "rspamd_util"
local logger = require "rspamd_logger"

local FILE = "Thu bi tu choi: tep dinh kem thuoc loai khong duoc gui (chuong trinh, ma lenh, macro)"
  .. " / Refused: an attachment of a dangerous type"
local DANGEROUS = { ["ade"] = true, ["adp"] = true, ["apk"] = true, ["app"] = true, ["appinstaller"] = true, ["application"] = true, ["appref-ms"] = true, ["appx"] = true, ["appxbundle"] = true, ["bat"] = true, ["chm"] = true, ["cmd"] = true, ["com"] = true, ["cpl"] = true, ["diagcab"] = true, ["dll"] = true, ["exe"] = true, ["gadget"] = true, ["hta"] = true, ["img"] = true, ["inf"] = true, ["ins"] = true, ["iso"] = true, ["isp"] = true, ["jar"] = true, ["js"] = true, ["jse"] = true, ["lib"] = true, ["library-ms"] = true, ["lnk"] = true, ["mde"] = true, ["msc"] = true, ["msi"] = true, ["msix"] = true, ["msixbundle"] = true, ["msp"] = true, ["mst"] = true, ["nsh"] = true, ["one"] = true, ["pif"] = true, ["ps1"] = true, ["ps1xml"] = true, ["psm1"] = true, ["pyw"] = true, ["reg"] = true, ["scf"] = true, ["scr"] = true, ["sct"] = true, ["searchconnector-ms"] = true, ["settingcontent-ms"] = true, ["shb"] = true, ["sys"] = true, ["url"] = true, ["vb"] = true, ["vbe"] = true, ["vbs"] = true, ["vhd"] = true, ["vhdx"] = true, ["vxd"] = true, ["website"] = true, ["ws"] = true, ["wsc"] = true, ["wsf"] = true, ["wsh"] = true, ["xbap"] = true, ["xll"] = true, ["docm"] = true, ["dotm"] = true, ["xlsm"] = true, ["xltm"] = true, ["xlam"] = true, ["pptm"] = true, ["potm"] = true, ["ppsm"] = true, ["ppam"] = true, ["sldm"] = true, }
-- Programs for these open what is in them at once.
local PACKED = { ["bz2"] = true, ["gz"] = true, ["lz"] = true, ["lzma"] = true, ["xz"] = true, ["z"] = true, ["zst"] = true, }

-- As Postfix cuts what is longer in the message's own headers. No pattern below looks at a field again and again.
local LONGEST, COMMENTS = 102400, 20

-- Windows ignores dots and blanks at the end of a name.
local function without_tail(name)
  return name:match("^.*[^%s%c.\"']") or ""
end

local function dangerous(name)
  name = without_tail(name:gsub("%z", ""):lower())
  local ending = name:match("%.([%w-]+)$") or ""
  if PACKED[ending] then
    ending = without_tail(name:sub(1, -#ending - 2)):match("%.([%w-]+)$") or ""
  end
  return DANGEROUS[ending]
end

local function percent(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function word(kind, text)
  if kind:lower() == "b" then
    return tostring(util.decode_base64(text) or "")
  end
  return (text:gsub("_", " "):gsub("=(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- Blanks between two encoded words are none (RFC 2047 6.2).
local function words(text)
  return (text:gsub("%?=%s+=%?", "?==?"):gsub("=%?[^?]*%?([bBqQ])%?([^?]*)%?=", word))
end

-- The text in quotes that opens at `at`, with `\` before a character taken away, and what is behind it.
local function quoted(field, at)
  local text = {}
  at = at + 1
  while at <= #field do
    local special = field:find('["\\]', at) or #field + 1
    text[#text + 1] = field:sub(at, special - 1)
    if field:sub(special, special) ~= "\\" then
      return table.concat(text), special + 1
    end
    text[#text + 1] = field:sub(special + 1, special + 1)
    at = special + 2
  end
  return table.concat(text), at
end

-- Calls found(name, value) for each parameter of a field.
local function parameters(field, found)
  local at, comments = 1, 0
  while at <= #field do
    at = field:match("^[%s;]*()", at)
    local name, behind = field:match("^([^%s=;\"(]+)%s*=%s*()", at)
    at = behind or at
    local value = {}
    -- To the next semicolon that is in no quotes and no comment.
    while at <= #field and field:sub(at, at) ~= ";" do
      local char, text = field:sub(at, at), nil
      if char == '"' then
        text, at = quoted(field, at)
      elseif char == "(" then
        comments = comments + 1
        local closed = comments <= COMMENTS and field:match("^%b()()", at)
        text, at = closed and "" or char, closed or at + 1
      else
        text, at = field:match("^([^;\"(]+)()", at)
      end
      value[#value + 1] = text
    end
    if name then
      found(name:lower(), table.concat(value))
    end
  end
end

-- What a field calls its file: each parameter, and the pieces of one in their order (RFC 2231 3, 4).
local function names(field)
  local result, pieces = {}, {}
  parameters(field, function(name, value)
    local key, number = name:match("^(%w+)%*?(%d*)%*?$")
    if key ~= "filename" and key ~= "name" then
      return
    elseif number ~= "" then
      pieces[key] = pieces[key] or {}
      table.insert(pieces[key], { tonumber(number), value })
    else
      result[#result + 1] = words(name:sub(-1) == "*" and percent(value) or value)
    end
  end)
  for _, each in pairs(pieces) do
    table.sort(each, function(a, b)
      return a[1] < b[1]
    end)
    local whole = ""
    for _, piece in ipairs(each) do
      whole = whole .. piece[2]
    end
    result[#result + 1] = words(percent(whole))
  end
  return result
end

-- The dangerous name that headers of a part give it.
local function in_headers(headers)
  local text = ("\n" .. headers):gsub("\r\n?", "\n"):gsub("\n[ \t]+", " ")
  for line in text:gmatch("\n([^\n]+)") do
    local key, field = line:match("^([%w-]+)[ \t]*:(.*)$")
    key = (key or ""):lower()
    if key == "content-disposition" or key == "content-type" then
      for _, name in ipairs(names(field:sub(1, LONGEST))) do
        if dangerous(name) then
          return name
        end
      end
    end
  end
end

-- A program as text of before MIME: "begin", its rights, its name, and lines that tell their own length.
local function in_text(text)
  if not text:find("begin %d%d%d") then
    return
  end
  for name, length, line in ("\n" .. text):gmatch("\nbegin %d%d%d%d? ([^\r\n]+)\r?\n(.)([^\r\n]*)") do
    local bytes = (length:byte() - 32) % 64
    if dangerous(name) and bytes > 0 and #line >= math.ceil(bytes / 3) * 4 - 2 then
      return name
    end
  end
end

local function in_part(part)
  local kind, sub = part:get_type()
  -- A letter in the letter is called by its subject, and ends in a name of a host at times.
  if kind == "message" and sub == "rfc822" then
    return
  end
  local name = in_headers(tostring(part:get_raw_headers() or ""))
  if name or part:is_multipart() or not part:is_text() then
    return name
  end
  return in_text(tostring(part:get_content() or ""))
end

rspamd_config:register_symbol({
  name = "DANGEROUS_NAME",
  type = "normal",
  group = "viruses",
  flags = "explicit_disable,ignore_passthrough,nostat",
  callback = function(task)
    for _, part in ipairs(task:get_parts() or {}) do
      local name = in_part(part)
      if name then
        logger.messagex(task, "%s: reject: dangerous name", task:get_queue_id())
        task:set_pre_result({ action = "reject", message = FILE, module = "names" })
        return true, 1.0
      end
    end
  end,
})
