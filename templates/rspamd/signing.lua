-- Signs what leaves in the name of the province (DKIM, RFC 6376), with both keys of the pair in use, or
-- lets it wait. rspamd's own module for this says nothing when one of two keys cannot be read, and has
-- its turn when no message can be deferred any more: the same function is called here, earlier.
local ucl = require "ucl"
local logger = require "rspamd_logger"

local PLACE, DOMAIN = "{{ place }}", "{{ domain }}"
local LATER = "Chua ky duoc thu, xin gui lai sau / Could not be signed (DKIM), try again later"

-- Written by danhba/signing/pairs.py, whole; a rotation counts from the next message on.
local function pair()
  local parser = ucl.parser()
  if not parser:parse_file(PLACE .. "/state.json") then
    return nil
  end
  local name = parser:get_object().signing
  return name ~= "" and name or nil
end

local WRITERS = { {% for address in writers %}["{{ address }}"] = true, {% endfor %}}

-- By Postfix here, or by Sieve on stores.
local function written_here(task)
  local ip = task:get_from_ip()
  return not task:get_user() and ip and WRITERS[ip:to_string()]
end

-- Officials' messages (danhba/senders has seen to their From), and what the servers write themselves.
-- What Sieve only passes on is somebody else's, whatever its From says; mail from outside is nobody's to
-- sign here.
local function leaves(task)
  if task:get_user() then
    return true
  elseif not written_here(task) then
    return false
  end
  local from = task:get_from("mime") or {}
  return #from == 1 and from[1].domain:lower() == DOMAIN
    and not task:has_header("X-Sieve-Redirected-From")
end

local function signed(task, name, kind)
  local ok, result = pcall(rspamd_plugins.dkim.sign, task, {
    domain = DOMAIN,
    selector = name .. "-" .. kind,
    key = PLACE .. "/" .. name .. "/" .. kind .. ".key",
  })
  return ok and result
end

-- What Sieve passes on within the province: that it came as it is when it came (ARC, RFC 8617). The
-- module asks here which key to seal with; Ed25519 is unknown to ARC.
local function seal(task)
  local name = written_here(task) and task:has_header("X-Sieve-Redirected-From") and pair()
  return name and {
    domain = DOMAIN, selector = name .. "-rsa", key = PLACE .. "/" .. name .. "/rsa.key",
  }
end
rspamd_plugins.danhba = { seal = seal }

local id = rspamd_config:register_symbol({
  name = "SIGNING",
  type = "postfilter",
  -- Last, but for what takes care that a message is seen by clamd.
  priority = 9,
  group = "signing",
  flags = "ignore_passthrough,nostat",
  callback = function(task)
    local action = task:get_metric_action()
    if action == "reject" or action == "soft reject" or not leaves(task) then
      return
    end
    local name = pair()
    if name and signed(task, name, "rsa") and signed(task, name, "ed25519") then
      task:insert_result("SIGNED", 1.0, name)
      return
    end
    logger.errx(task, "%s: not signed, no usable key in %s", task:get_queue_id(), PLACE)
    task:set_pre_result({ action = "soft reject", message = LATER, module = "signing" })
  end,
})
rspamd_config:register_symbol({ name = "SIGNED", type = "virtual", parent = id, group = "signing" })
