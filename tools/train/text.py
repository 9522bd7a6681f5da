"""The text encoder, with the parameters of transformers' CLIPTextModel."""
import torch
from torch import nn

from layers import attend


class SelfAttention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj = nn.Linear(c, c), nn.Linear(c, c)
        self.q_proj, self.out_proj = nn.Linear(c, c), nn.Linear(c, c)

    def forward(self, x):
        future = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        return self.out_proj(attend(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads, future))


class MLP(nn.Module):
    def __init__(self, c, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(c, inner), nn.Linear(inner, c)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class Layer(nn.Module):
    def __init__(self, c, heads, inner):
        super().__init__()
        self.self_attn = SelfAttention(c, heads)
        self.layer_norm1 = nn.LayerNorm(c)
        self.mlp = MLP(c, inner)
        self.layer_norm2 = nn.LayerNorm(c)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    def __init__(self, vocab, positions, c):
        super().__init__()
        self.token_embedding = nn.Embedding(vocab, c)
        self.position_embedding = nn.Embedding(positions, c)
        nn.init.normal_(self.token_embedding.weight, std=0.3)
        nn.init.normal_(self.position_embedding.weight, std=0.1)

    def forward(self, ids):
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]


class Encoder(nn.Module):
    def __init__(self, c, heads, inner, layers):
        super().__init__()
        self.layers = nn.ModuleList([Layer(c, heads, inner) for _ in range(layers)])


class TextTransformer(nn.Module):
    def __init__(self, vocab, positions, c, heads, inner, layers):
        super().__init__()
        self.embeddings = Embeddings(vocab, positions, c)
        self.encoder = Encoder(c, heads, inner, layers)
        self.final_layer_norm = nn.LayerNorm(c)

    def forward(self, ids):
        x = self.embeddings(ids)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.final_layer_norm(x)


class TextEncoder(nn.Module):
    """Token ids [n, t] to the last hidden state [n, t, c], after the final norm."""

    def __init__(self, vocab, positions=32, c=128, heads=4, inner=512, layers=2):
        super().__init__()
        self.text_model = TextTransformer(vocab, positions, c, heads, inner, layers)

    def forward(self, ids):
        return self.text_model(ids)


def config(vocab, start, end, positions, c, heads, inner, layers):
    """The config.json that transformers reads."""
    return {
        "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": start, "eos_token_id": end,
        "hidden_act": "quick_gelu", "hidden_size": c, "intermediate_size": inner, "layer_norm_eps": 1e-05,
        "max_position_embeddings": positions, "model_type": "clip_text_model", "num_attention_heads": heads,
        "num_hidden_layers": layers, "pad_token_id": end, "projection_dim": c, "vocab_size": vocab,
    }
