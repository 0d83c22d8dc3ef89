using System.Management.Automation;
using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text.Json;

namespace Checkpoint;

/// <summary>The characters of a SecureString, on every system alike: they never rest in a text of .NET, which nobody can overwrite.</summary>
internal static class SecureText
{
    /// <summary>Reads them into memory that the caller overwrites.</summary>
    public static char[] Read(SecureString text)
    {
        var characters = new char[text.Length];
        var memory = Marshal.SecureStringToGlobalAllocUnicode(text);
        try
        {
            Marshal.Copy(memory, characters, 0, characters.Length);
            return characters;
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(memory);
        }
    }

    /// <summary>Writes a SecureString or a PSCredential into a state that is encrypted.</summary>
    public static void Write(Utf8JsonWriter json, object secret)
    {
        var credential = secret as PSCredential;
        // The empty credential has no password at all.
        var password = credential is null ? (SecureString)secret : credential.Password;
        var characters = password is null ? [] : Read(password);
        var bytes = new byte[characters.Length * sizeof(char)];
        for (var i = 0; i < characters.Length; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(char)), characters[i]);
        json.WriteStartObject();
        json.WriteBase64String(credential is null ? StateTags.SecureString : StateTags.Credential, bytes);
        if (credential is not null)
        {
            json.WritePropertyName(StateTags.User);
            ScalarJson.WriteString(json, credential.UserName ?? "");
        }
        json.WriteEndObject();
        Array.Clear(characters);
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>Makes a SecureString of UTF-16, little-endian, which is overwritten.</summary>
    public static SecureString Parse(byte[] utf16)
    {
        var text = new SecureString();
        for (var i = 0; i + 1 < utf16.Length; i += sizeof(char))
            text.AppendChar((char)System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(utf16.AsSpan(i)));
        text.MakeReadOnly();
        CryptographicOperations.ZeroMemory(utf16);
        return text;
    }
}
