-- Asks clamd about every message, and lets none through of which clamd has not said that it is clean.
--
-- rspamd's own module for this takes an answer that it does not know (clamd out of memory, say) for
-- none, and passes over parts whose type it cannot tell. Here clamd gets the message as it is; the
-- line before it makes clamd take it for mail, whatever its first header may be.
local tcp = require "rspamd_tcp"
local util = require "rspamd_util"
local logger = require "rspamd_logger"

-- Replies are ASCII (RFC 5321 4.2); the codes before them are rspamd's: 554 5.7.1, 451 4.7.1.
local AGAIN = "Chua kiem tra duoc vi rut, xin gui lai sau / Could not be scanned for viruses, try again later"
local VIRUS = "Thu bi tu choi: co vi rut %s / Refused: it carries a virus"
local LIMIT = "Thu bi tu choi: tep dinh kem qua lon hoac qua nhieu lop nen, khong kiem tra duoc"
  .. " / Refused: an attachment is too large or too deeply packed to be scanned"
local FILE = "Thu bi tu choi: tep dinh kem thuoc loai khong duoc gui (chuong trinh, ma lenh, macro)"
  .. " / Refused: an attachment of a dangerous type"

local function verdict(found)
  if found:find("MaxScanTime", 1, true) then
    return "soft reject", AGAIN
  elseif found:find("^Heuristics%.Limits%.Exceeded") then
    return "reject", LIMIT
  elseif found:find("^Danhba%.") or found:find("^Heuristics%.OLE2%.ContainsMacros") then
    return "reject", FILE
  end
  return "reject", VIRUS:format((found:gsub("[^%w._/-]", "")))
end

local function answered(task, err, said)
  local found = said:match("^stream: (.+) FOUND")
  if found then
    local action, message = verdict(found)
    task:insert_result("VIRUS_FOUND", 1.0, found)
    logger.messagex(task, "%s: %s: %s", task:get_queue_id(), action, found)
    task:set_pre_result({ action = action, message = message, module = "viruses" })
  elseif said == "stream: OK" then
    task:insert_result("VIRUS_NONE", 1.0)
  else
    logger.warnx(task, "no word from clamd: %s", err or said)
  end
end

local scan = rspamd_config:register_symbol({
  name = "VIRUS_SCAN",
  type = "normal",
  group = "viruses",
  flags = "explicit_disable,ignore_passthrough,nostat",
  augmentations = { "timeout=20" },
  callback = function(task)
    local first, content = "From danhba\n", task:get_content()
    tcp.request({
      task = task,
      host = "/run/clamav/clamd",
      timeout = 20,
      data = {
        "zINSTREAM\0", util.pack(">I4", #first + #content), first, content, util.pack(">I4", 0),
      },
      stop_pattern = "\0",
      callback = function(err, data)
        answered(task, err, tostring(data or ""))
      end,
    })
  end,
})
for _, name in ipairs({ "VIRUS_FOUND", "VIRUS_NONE" }) do
  rspamd_config:register_symbol({ name = name, type = "virtual", parent = scan, group = "viruses" })
end

-- Whatever went wrong, an error in the lines above included.
rspamd_config:register_symbol({
  name = "VIRUS_UNKNOWN",
  type = "postfilter",
  priority = 10,
  group = "viruses",
  flags = "explicit_disable,ignore_passthrough,nostat",
  callback = function(task)
    if not task:has_symbol("VIRUS_NONE") and task:get_metric_action() ~= "reject" then
      task:set_pre_result({ action = "soft reject", message = AGAIN, module = "viruses" })
    end
  end,
})
