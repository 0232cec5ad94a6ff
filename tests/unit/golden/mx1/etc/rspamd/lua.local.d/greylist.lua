-- Whom the filter doubts is told to come again in a while: mail servers do, spammers' programs do not.
--
-- Not rspamd's own module: that one sends the second attempt away before anything has looked at it, asks
-- one valkey, and sees a stranger in a large provider that comes again from another address. Here a
-- message is looked at whole each time; a virus is refused, junk is junk, and only what is left in
-- between waits.
local redis = require "lua_redis"
local hash = require "rspamd_cryptobox_hash"
local util = require "rspamd_util"
local logger = require "rspamd_logger"

local AGAIN = "Xin gui lai sau vai phut / Please try again in a few minutes"
local WAIT = 300
local SEEN, KNOWN = 2 * 86400, 36 * 86400 -- seconds: that a message, and a sender, are remembered

local here = redis.try_load_redis_servers({ servers = "/run/valkey/valkey", timeout = 0.5 }, rspamd_config, true)
-- Those of the other edges, over the tunnel.
local others = {
}

local function network(ip)
  return tostring(ip:apply_mask(ip:get_version() == 4 and 24 or 64))
end

-- Who is vouched for by SPF or DKIM is known by his domain, whichever of its servers comes.
local function sender(task, from)
  local domain = from.domain or ""
  if task:has_symbol("R_SPF_ALLOW") or task:has_symbol("R_DKIM_ALLOW") then
    return domain
  end
  return domain .. " " .. network(task:get_ip())
end

local function key(kind, ...)
  return "grey:" .. kind .. ":" .. hash.create(table.concat({ ... }, "\0")):base32():sub(1, 26)
end

-- Nobody waits for them: an edge that is down does not know, and asks once more.
local function tell_others(ev_base, ...)
  for _, params in ipairs(others) do
    redis.redis_make_request_taskless(ev_base, rspamd_config, params, nil, true, function() end, ...)
  end
end

local function doubtful(task)
  local ip = task:get_ip()
  return not task:get_user() and ip and ip:is_valid() and not ip:is_local()
    and task:get_metric_action() == "greylist"
end

local function defer(task)
  task:insert_result("GREY_DEFERRED", 0.0)
  task:set_pre_result({ action = "soft reject", message = AGAIN, module = "greylist" })
end

local function pass(task, known)
  task:insert_result("GREY_PASSED", 0.0)
  local set = { known, "1", "EX", tostring(KNOWN) }
  redis.redis_make_request(task, here, known, true, function() end, "SET", set)
  tell_others(task:get_ev_base(), "SET", set)
end

-- The message by its sender, its first recipient and what it says: so it is known at every edge, and
-- whichever address it comes from.
local function first_time(task, from, known)
  local to = task:get_recipients("smtp")
  local names = {}
  for _, each in ipairs(to or {}) do
    names[#names + 1] = each.addr:lower()
  end
  table.sort(names)
  local seen, now = key("m", from.addr:lower(), names[1] or "", task:get_digest()), util.get_time()
  local set = { seen, string.format("%d", now), "NX", "GET", "EX", tostring(SEEN) }
  redis.redis_make_request(task, here, seen, true, function(err, data)
    if err then
      logger.warnx(task, "not greylisted, valkey does not answer: %s", err)
      return
    end
    local since = tonumber(data)
    if not since then
      defer(task)
      tell_others(task:get_ev_base(), "SET", set)
    elseif now - since < WAIT then
      defer(task)
    else
      pass(task, known)
    end
  end, "SET", set)
end

local grey = rspamd_config:register_symbol({
  name = "GREY",
  type = "postfilter",
  -- After authentication.lua, whose word is final.
  priority = 6,
  group = "greylist",
  flags = "nostat",
  callback = function(task)
    if not doubtful(task) then
      return
    end
    local from = (task:get_from("smtp") or {})[1] or { addr = "", domain = "" }
    local known = key("s", sender(task, from))
    redis.redis_make_request(task, here, known, false, function(err, data)
      if err then
        logger.warnx(task, "not greylisted, valkey does not answer: %s", err)
      elseif data == "1" then
        task:insert_result("GREY_KNOWN", 0.0)
      else
        first_time(task, from, known)
      end
    end, "GET", { known })
  end,
})
for _, name in ipairs({ "GREY_DEFERRED", "GREY_PASSED", "GREY_KNOWN" }) do
  rspamd_config:register_symbol({ name = name, type = "virtual", parent = grey, group = "greylist" })
end
