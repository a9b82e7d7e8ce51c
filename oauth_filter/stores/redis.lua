-- The verbs of the Redis store: Redis runs a script to its end without anything else in between.
--
-- A record is a string at oauth:<kind>:<key>, four lines that no JSON text breaks: the sequence it was born under; when
-- it was spent, or nothing; [expires_at, grant_id, client_id, subject, issued_at]; the details. An index is a sorted set
-- of keys at oauth:index:<kind> or oauth:index:<kind>:<column>:<value>. Before this text stand two tables: INDEXED, the
-- indexes of a kind, and REVOCABLE, whether it is, which also says which kinds there are.
--
-- Times are compared here but never written: a Lua number loses digits of them on its way into a text.
-- ARGV: the verb, the seconds since the epoch, and what the verb takes.

local verb, now = ARGV[1], tonumber(ARGV[2])
local NULL = cjson.null

local function name_of(kind, key)
    return 'oauth:' .. kind .. ':' .. key
end

local function read(text)
    local born, spent_at, envelope, details = text:match('^(%d+)\n([^\n]*)\n([^\n]*)\n([^\n]*)$')
    local expires_at, grant_id, client_id, subject = unpack(cjson.decode(envelope), 1, 4)
    return {
        born = born, spent_at = spent_at, envelope = envelope, details = details,
        expires_at = expires_at, grant_id = grant_id, client_id = client_id, subject = subject,
    }
end

local function is_expired(record)
    return record.expires_at ~= NULL and record.expires_at <= now
end

local function is_revoked(of, key, born)
    local sequence = key ~= NULL and redis.call('HGET', 'oauth:revoked_' .. of, key)
    return sequence and tonumber(sequence) > tonumber(born)
end

local function is_live(kind, record)
    if is_expired(record) then
        return false
    elseif not REVOCABLE[kind] then
        return true
    end
    return not (record.grant_id ~= NULL and redis.call('ZSCORE', 'oauth:revoked_grant', record.grant_id))
        and not is_revoked('client', record.client_id, record.born)
        and not is_revoked('subject', record.subject, record.born)
end

local function each_index(kind, record, action)
    for _, column in ipairs(INDEXED[kind] or {}) do
        if column == '' then
            action('oauth:index:' .. kind)
        elseif record[column] ~= NULL then
            action('oauth:index:' .. kind .. ':' .. column .. ':' .. record[column])
        end
    end
end

local function remove(kind, key, record)
    each_index(kind, record, function(index) redis.call('ZREM', index, key) end)
    redis.call('DEL', name_of(kind, key))
end

local function write(kind, key, milliseconds, rest)
    local name = name_of(kind, key)
    local old = INDEXED[kind] and redis.call('GET', name)
    if old then
        remove(kind, key, read(old))
    end
    local text = (redis.call('GET', 'oauth:sequence') or '0') .. '\n' .. rest
    if milliseconds == '' then
        redis.call('SET', name, text)
    else
        redis.call('SET', name, text, 'PX', milliseconds)
    end
    if INDEXED[kind] then
        each_index(kind, read(text), function(index) redis.call('ZADD', index, 0, key) end)
    end
end

-- The records of ARGV from an argument on, each a kind, a key, the milliseconds it stays or nothing, and its lines.
local function write_all(first)
    for i = first, #ARGV, 4 do
        write(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    end
end

local function announce(generation)
    if generation ~= '' then
        redis.call('SET', 'oauth:generation', generation)
    end
end

local verbs = {}

function verbs.get(kind, key)
    local text = redis.call('GET', name_of(kind, key))
    return text and is_live(kind, read(text)) and text
end

function verbs.put(generation)
    write_all(4)
    announce(generation)
end

function verbs.add(generation, kind, key)
    local text = redis.call('GET', name_of(kind, key))
    if text and not is_expired(read(text)) then
        return 0
    end
    write_all(4)
    announce(generation)
    return 1
end

function verbs.exchange(generation, spent_at, kind, key)
    local name = name_of(kind, key)
    local text = redis.call('GET', name)
    local record = text and read(text)
    if not record or record.spent_at ~= '' or not is_live(kind, record) then
        return 0
    end
    redis.call('SET', name, table.concat({record.born, spent_at, record.envelope, record.details}, '\n'), 'KEEPTTL')
    write_all(7)
    announce(generation)
    return 1
end

function verbs.delete(generation, kind, key)
    local text = redis.call('GET', name_of(kind, key))
    if not text then
        return 0
    end
    remove(kind, key, read(text))
    announce(generation)
    return 1
end

function verbs.revoke(generation, of, key)
    if of == 'grant' then
        redis.call('ZADD', 'oauth:revoked_grant', ARGV[2], key)
    else
        redis.call('HSET', 'oauth:revoked_' .. of, key, redis.call('INCR', 'oauth:sequence'))
    end
    announce(generation)
end

-- Of keys of one kind the live ones, each followed by its text.
function verbs.look(kind)
    local found = {}
    for i = 4, #ARGV do
        local text = verbs.get(kind, ARGV[i])
        if text then
            found[#found + 1] = ARGV[i]
            found[#found + 1] = text
        end
    end
    return found
end

-- The next keys of an index, without those whose record has gone by itself, which leave the index here.
function verbs.walk(kind, index, minimum, count)
    local keys = redis.call('ZRANGEBYLEX', index, minimum, '+', 'LIMIT', 0, count)
    local last = #keys == tonumber(count) and keys[#keys]
    local there = {}
    for _, key in ipairs(keys) do
        if redis.call('EXISTS', name_of(kind, key)) == 1 then
            there[#there + 1] = key
        else
            redis.call('ZREM', index, key)
        end
    end
    return {last, there}
end

-- Of keys in the database remove the records that are dead, at most so many.
function verbs.bury(limit)
    local buried = 0
    for i = 4, #ARGV do
        local name = ARGV[i]
        local kind, key = name:match('^oauth:([a-z_]+):(.*)$')
        local text = REVOCABLE[kind] ~= nil and redis.call('GET', name)
        local record = text and read(text)
        if record and not is_live(kind, record) then
            if buried == tonumber(limit) then
                break
            end
            remove(kind, key, record)
            buried = buried + 1
        end
    end
    return buried
end

function verbs.forget(revoked_until, count)
    local grants = redis.call('ZRANGEBYSCORE', 'oauth:revoked_grant', '-inf', revoked_until, 'LIMIT', 0, count)
    for _, grant in ipairs(grants) do
        redis.call('ZREM', 'oauth:revoked_grant', grant)
    end
    return #grants
end

return verbs[verb](ARGV[3], ARGV[4], ARGV[5], ARGV[6])
