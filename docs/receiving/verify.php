<?php

function sign(string $key, string $content): string
{
    return base64_encode(hash_hmac('sha256', $content, $key, true));
}

// $headers has names in lower case, and $body is the bytes as they came: file_get_contents('php://input').
function verify(array $headers, string $body, string $secret, ?int $now = null): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (!ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > 300) {
        return false;
    }
    $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6)) : $secret;
    $wanted = 'v1,' . sign($key, "$id.$timestamp.$body");
    $equal = array_filter(explode(' ', $headers['webhook-signature'] ?? ''), fn ($one) => hash_equals($wanted, $one));
    return count($equal) > 0;
}

function verify_decsys(array $headers, string $body, string $secret): bool
{
    return hash_equals(sign($secret, $body), $headers['x-decsys-signature'] ?? '');
}
