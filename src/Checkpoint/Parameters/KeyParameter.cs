using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;

namespace Checkpoint;

/// <summary>What -Key takes. It says nothing of the value in any message, for that may be the key.</summary>
internal static class KeyParameter
{
    /// <returns>Null for no key, which <c>$null</c> says. An empty passphrase does not: it is an answer that was only Enter, and nobody means to save in plain by that.</returns>
    /// <exception cref="InvalidArgumentException">It is no key.</exception>
    public static CheckpointKey? Read(object? value) => value is PSObject wrapped ? Read(wrapped.BaseObject) : value switch
    {
        null => null,
        SecureString passphrase => Read(passphrase),
        X509Certificate2 certificate => new CertificateKey(certificate),
        byte[] bytes => new RawKey(bytes),
        object[] numbers when LanguagePrimitives.TryConvertTo<byte[]>(numbers, out var bytes) => new RawKey(bytes),
        string => throw new InvalidArgumentException("-Key takes no plain text, which would end up in histories and logs. Give a passphrase as a SecureString, for instance from Read-Host -AsSecureString or Get-Secret, or set the environment variable CHECKPOINT_KEY."),
        _ => throw new InvalidArgumentException($"-Key takes a SecureString, {CheckpointKey.Size} bytes or an X509Certificate2, and no {value.GetType()}."),
    };

    private static PassphraseKey Read(SecureString passphrase)
    {
        char[] characters = [];
        try
        {
            characters = SecureText.Read(passphrase);
            return new PassphraseKey(characters);
        }
        catch (ObjectDisposedException)
        {
            throw new InvalidArgumentException("The passphrase was disposed of. Give it anew.");
        }
        finally
        {
            Array.Clear(characters);
        }
    }
}
