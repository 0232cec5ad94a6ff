-- Nobody of the people hosts is there: say so (RFC 4511 4.1.9, 52 is unavailable). HAProxy alone would
-- end the connection, and Dovecot would connect again and again until the user gives up.
local ANSWERS = { [0x60] = "\x61", [0x63] = "\x65" } -- to a bind, to a search
local UNAVAILABLE = "\x07\x0a\x01\x34\x04\x00\x04\x00"

local function length(applet)
    local first = applet:receive(1):byte()
    if first < 128 then
        return first
    end
    local sum = 0
    for byte in applet:receive(first - 128):gmatch(".") do
        sum = sum * 256 + byte:byte()
    end
    return sum
end

core.register_service("unavailable", "tcp", function(applet)
    applet:receive(1)
    local message = applet:receive(length(applet))
    local number = message:sub(1, 2 + message:byte(2))
    local answer = ANSWERS[message:byte(#number + 1)]
    if answer then
        local said = number .. answer .. UNAVAILABLE
        applet:send("\x30" .. string.char(#said) .. said)
    end
end)
