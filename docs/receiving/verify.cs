using System.Security.Cryptography;
using System.Text;

public static class Webhook
{
    // headers has names in lower case, and body is the bytes as they came.
    public static bool Verify(IReadOnlyDictionary<string, string> headers, byte[] body, string secret, long now)
    {
        var prefix = $"{headers.GetValueOrDefault("webhook-id")}.{headers.GetValueOrDefault("webhook-timestamp")}.";
        if (!long.TryParse(headers.GetValueOrDefault("webhook-timestamp"), out var timestamp) || Math.Abs(now - timestamp) > 300)
            return false;
        var key = secret.StartsWith("whsec_") ? Convert.FromBase64String(secret[6..]) : Encoding.UTF8.GetBytes(secret);
        var wanted = "v1," + Sign(key, Encoding.UTF8.GetBytes(prefix).Concat(body).ToArray());
        return headers.GetValueOrDefault("webhook-signature", "").Split(' ').Any(one => AreEqual(one, wanted));
    }

    public static bool VerifyDecsys(IReadOnlyDictionary<string, string> headers, byte[] body, string secret) =>
        AreEqual(headers.GetValueOrDefault("x-decsys-signature", ""), Sign(Encoding.UTF8.GetBytes(secret), body));

    static string Sign(byte[] key, byte[] content) => Convert.ToBase64String(HMACSHA256.HashData(key, content));

    static bool AreEqual(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
