-- Who has not proven that he is the sender of the envelope is answered by nobody's filter: answers to
-- forged senders would go to people who have written nothing. Dovecot's vacation keeps to this header,
-- which programs of others know as well (MS-OXCMAIL 2.2.3.2.14); danhba/senders sees to rejections.
-- Readers are shown nothing of it.
local lua_mime = require "lua_mime"
local util = require "rspamd_util"

local HEADER = "X-Auto-Response-Suppress"

local function organization(domain)
  return util.get_tld(domain:lower())
end

-- Has the domain of the sender, or one of the same organization, signed the message (RFC 6376)?
local function signed(task, domain)
  for _, found in ipairs(task:get_symbol("R_DKIM_ALLOW") or {}) do
    for _, said in ipairs(found.options or {}) do
      if organization(said:match("^[^:]+") or "") == organization(domain) then
        return true
      end
    end
  end
  return false
end

rspamd_config:register_symbol({
  name = "ANSWERS",
  type = "idempotent",
  flags = "nostat,ignore_passthrough",
  callback = function(task)
    local ip, from = task:get_from_ip(), task:get_from("smtp")
    local domain = from and from[1] and from[1].domain or ""
    -- Officials have logged in; nobody answers what has no sender (RFC 3834 2).
    if task:get_user() or (ip and ip:is_local()) or domain == "" then
      return
    end
    if not task:has_symbol("R_SPF_ALLOW") and not signed(task, domain) then
      lua_mime.modify_headers(task, { add = { [HEADER] = { value = "OOF, AutoReply" } } })
    end
  end,
})
