-- Asks clamd about every message, and lets none through of which clamd has not said that it is clean.
--
-- rspamd's own module for this takes an answer that it does not know (clamd out of memory, say) for
-- none, and passes over parts whose type it cannot tell. Here clamd gets the message as it is; the
-- line before it makes clamd take it for mail, whatever its first header may be.
local tcp = require "rspamd_tcp"
local redis = require "lua_redis"
local util = require "rspamd_util"
local logger = require "rspamd_logger"

-- Replies are ASCII (RFC 5321 4.2); the codes before them are rspamd's: 554 5.7.1, 451 4.7.1.
local AGAIN = "Chua kiem tra duoc vi rut, xin gui lai sau / Could not be scanned for viruses, try again later"
local VIRUS = "Thu bi tu choi: co vi rut %s / Refused: it carries a virus"
local LIMIT = "Thu bi tu choi: tep dinh kem qua lon hoac qua nhieu lop nen, khong kiem tra duoc"
  .. " / Refused: an attachment is too large or too deeply packed to be scanned"
local FILE = "Thu bi tu choi: tep dinh kem thuoc loai khong duoc gui (chuong trinh, ma lenh, macro)"
  .. " / Refused: an attachment of a dangerous type"

-- Places at clamd, each for {{ max_scan_seconds }} s at most, in each of {{ processes }} processes:
-- strangers never take those of officials, who has sent what clamd could not read in time never those
-- of others, and one sender, or account, has no more than one.
local PLACES = { official = {{ places.official }}, stranger = {{ places.stranger }}, slow = {{ places.slow }} }
local WAIT = {{ wait_seconds }} -- seconds, for a place
local SLOW = {{ slow_seconds }} -- seconds, after which who was slow is one of the others again
local LEFT = {{ scan_seconds + 5 }} -- seconds, after which a place is free though nobody said so
local REMEMBERED = 2 * 86400 -- seconds, for a message that could not be read in time

local here = redis.try_load_redis_servers({ servers = "{{ valkey }}", timeout = 0.5 }, rspamd_config, true)
local inside, slow = {}, {}

-- Of IPv6 a network is one sender (RFC 6177).
local function source(task)
  local user, ip = task:get_user(), task:get_ip()
  if user then
    return "user " .. user:lower(), "official"
  end
  local from = ip and ip:is_valid() and tostring(ip:apply_mask(ip:get_version() == 4 and 32 or 64)) or ""
  return from, "stranger"
end

local function lane_of(from, lane, now)
  if (slow[from] or 0) > now then
    return "slow"
  end
  slow[from] = nil
  return lane
end

-- A place, or none.
local function enter(from, lane, now)
  local taken = 0
  for place in pairs(inside) do
    if place.since + LEFT < now then
      inside[place] = nil
    elseif place.from == from then
      return
    elseif place.lane == lane then
      taken = taken + 1
    end
  end
  if taken < PLACES[lane] then
    local place = { from = from, lane = lane, since = now }
    inside[place] = true
    return place
  end
end

local function verdict(found)
  if found:find("^Heuristics%.Limits%.Exceeded") then
    return LIMIT
  elseif found:find("^Danhba%.") or found:find("^Heuristics%.OLE2%.ContainsMacros") then
    return FILE
  end
  return VIRUS:format((found:gsub("[^%w._/-]", "")))
end

local function conclude(task, action, message, found)
  task:insert_result("VIRUS_FOUND", 1.0, found)
  logger.messagex(task, "%s: %s: %s", task:get_queue_id(), action, found)
  task:set_pre_result({ action = action, message = message, module = "viruses" })
end

-- It took too long, and clamd is well. That may be the load of this hour: the message is to come again,
-- and is refused when it takes too long a second time. An official is told at once.
local function too_slow(task, place, found)
  slow[place.from] = util.get_time() + SLOW
  if task:get_user() then
    return conclude(task, "reject", LIMIT, found)
  end
  local key = "slow:" .. task:get_digest()
  redis.redis_make_request(task, here, key, true, function(_, data)
    if tostring(data) == "1" then
      conclude(task, "reject", LIMIT, found)
    else
      conclude(task, "soft reject", AGAIN, found)
    end
  end, "SET", { key, "1", "NX", "GET", "EX", tostring(REMEMBERED) })
end

local function answered(task, place, err, said)
  inside[place] = nil
  local found = said:match("^stream: (.+) FOUND")
  if found and found:find("MaxScanTime", 1, true) then
    too_slow(task, place, found)
  elseif found then
    conclude(task, "reject", verdict(found), found)
  elseif said == "stream: OK" then
    task:insert_result("VIRUS_NONE", 1.0)
  else
    logger.warnx(task, "no word from clamd: %s", err or said)
  end
end

local function ask(task, place)
  local first, content = "From danhba\n", task:get_content()
  local asked = tcp.request({
    task = task,
    host = "{{ clamd }}",
    timeout = {{ scan_seconds }},
    data = {
      "zINSTREAM\0", util.pack(">I4", #first + #content), first, content, util.pack(">I4", 0),
    },
    stop_pattern = "\0",
    callback = function(err, data)
      answered(task, place, err, tostring(data or ""))
    end,
  })
  if not asked then
    inside[place] = nil
  end
end

local function wait(task, began)
  local now = util.get_time()
  local from, lane = source(task)
  local place = enter(from, lane_of(from, lane, now), now)
  if place then
    ask(task, place)
  elseif now - began < WAIT then
    task:add_timer(0.02, function()
      wait(task, began)
    end)
  else
    logger.messagex(task, "%s: soft reject: no place at clamd", task:get_queue_id())
  end
end

local scan = rspamd_config:register_symbol({
  name = "VIRUS_SCAN",
  type = "normal",
  group = "viruses",
  flags = "explicit_disable,ignore_passthrough,nostat",
  augmentations = { "timeout={{ scan_seconds + wait_seconds }}" },
  callback = function(task)
    wait(task, util.get_time())
  end,
})
for _, name in ipairs({ "VIRUS_FOUND", "VIRUS_NONE" }) do
  rspamd_config:register_symbol({ name = name, type = "virtual", parent = scan, group = "viruses" })
end

-- No place, or whatever went wrong, an error in the lines above included.
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
